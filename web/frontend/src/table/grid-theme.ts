import { themeQuartz, type Theme } from "ag-grid-community";
import { ROW_HEIGHTS, type Layout } from "../view/layout";

/** The grid's look, on the page's own custom properties, so that a change of theme is a change of those alone. */
export function gridTheme(layout: Layout): Theme {
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
    headerFontSize: layout === "kiosk" ? 16 : 12,
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
    rowHeight: ROW_HEIGHTS[layout],
    headerHeight: layout === "kiosk" ? 40 : 30,
    iconSize: 13,
    spacing: 6,
  });
}
