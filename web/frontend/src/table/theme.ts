import { themeQuartz, type Theme } from "ag-grid-community";

/** The grid's look, on the page's own custom properties, so that a change of theme is a change of those alone. */
export function gridTheme(narrow: boolean, tall: boolean): Theme {
  return themeQuartz.withParams({
    accentColor: "var(--accent)",
    backgroundColor: "var(--ground)",
    foregroundColor: "var(--text)",
    textColor: "var(--text)",
    subtleTextColor: "var(--muted)",
    borderColor: "var(--line)",
    borderRadius: 6,
    wrapperBorderRadius: 0,
    wrapperBorder: false,
    headerBackgroundColor: "var(--ground)",
    headerTextColor: "var(--muted)",
    headerFontWeight: 500,
    headerFontSize: 12,
    headerRowBorder: { color: "var(--line-strong)" },
    headerColumnResizeHandleColor: "transparent",
    rowBorder: { color: "var(--line)" },
    columnBorder: false,
    pinnedColumnBorder: { color: "var(--line)" },
    rowHoverColor: "var(--hover)",
    oddRowBackgroundColor: "var(--ground)",
    menuBackgroundColor: "var(--panel)",
    menuTextColor: "var(--text)",
    chromeBackgroundColor: "var(--panel)",
    browserColorScheme: "inherit",
    fontFamily: "inherit",
    fontSize: 13,
    cellHorizontalPadding: 0,
    rowHeight: rowHeight(narrow, tall),
    headerHeight: 30,
    iconSize: 13,
    spacing: 6,
  });
}

/** Pixels. A finger needs more than a mouse, an eye across the room more than a finger. */
function rowHeight(narrow: boolean, tall: boolean): number {
  if (tall) return 52;
  return narrow ? 40 : 27;
}
