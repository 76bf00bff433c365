import type { Face } from "./face";

/** What the table is looked at on: it decides which columns are shown at first, how wide they are, and how tall the rows. */
export type Layout = "wide" | "narrow" | "kiosk";

/** Pixels. A finger needs more than a mouse, an eye across the room more than a finger. */
export const ROW_HEIGHTS: Readonly<Record<Layout, number>> = { wide: 27, narrow: 40, kiosk: 52 };

/** Where a screen counts as a phone's. */
export const NARROW = "(max-width: 640px)";

export function layoutOf(face: Face, narrow: boolean): Layout {
  if (face.kind === "kiosk") return "kiosk";
  return narrow ? "narrow" : "wide";
}
