import type { PriceHistory } from "../history/price-history";
import type { ReadJson } from "../history/server-history";
import type { Texts } from "../i18n/texts";
import type { Formatter } from "../model/format";
import type { Row } from "../model/store";
import type { Truth } from "../model/truth";
import type { Flasher } from "../view/flash";
import type { Layout } from "../view/layout";
import type { Widths } from "./widths";

/** What cells need of the page. Fields that the reader can change are read at each paint. */
export interface TableContext {
  format: Formatter;
  texts: Texts;
  flasher: Flasher;
  history: PriceHistory;
  layout: Layout;
  widths: Widths;
  /** The most digits after the point that a price of the table has, as far as points are aligned. */
  fraction: number;
  /** The reader can point at a cell, which then says more: words that cost more to write than the cell itself. */
  pointable: boolean;
  read: ReadJson;
  /** How true a row is now. */
  truth(row: Row): Truth;
  /** The server's clock, epoch ms. */
  serverNow(): number;
}
