import {
  ClientSideRowModelApiModule, ClientSideRowModelModule, ColumnApiModule, ExternalFilterModule, LocaleModule, ModuleRegistry, NumberFilterModule,
  RenderApiModule, RowApiModule, ScrollApiModule, TextFilterModule,
} from "ag-grid-community";

// Only what is used: the whole of AG Grid would double the first load.
ModuleRegistry.registerModules([
  ClientSideRowModelModule, ClientSideRowModelApiModule, ColumnApiModule, ExternalFilterModule, LocaleModule, NumberFilterModule,
  RenderApiModule, RowApiModule, ScrollApiModule, TextFilterModule,
]);
