import type { Row } from "../model/store";
import type { Layout } from "../view/layout";
import { setText, setTitle } from "../view/set-text";
import type { PaintCall } from "./cells";
import type { Ruler } from "./ruler";
import { FONT_PX, mostWidth, setCut } from "./text-width";
import type { Room } from "./widths";

/** A text of any length, cut off only where it may not fit. */
export function setTextWithin(element: Element, text: string, layout: Layout, room: Room): void {
  setText(element, text);
  setCut(element, mostWidth(text, FONT_PX[layout]) > room.free_px);
}

/** A word of ours or of a source, which its column makes room for. */
export function paintWord(root: HTMLElement, text: string, { context: { widths } }: PaintCall, room: Room): void {
  setText(root, text);
  const text_px = widths.rulers.main.width(text);
  room.ask(text_px);
  setCut(root, room.fixed && text_px > room.free_px);
}

/** A number and how it is written shorter, for a column that the reader made too narrow for it. */
export interface NumberText {
  text: string;
  short(): string;
}

/** Nothing of a number is ever cut off: what is left would be another number. */
export const NO_ROOM = "…";

/** What of a number, which takes `text_px`, is written in `room`. */
function within({ text, short }: NumberText, text_px: number, ruler: Ruler, room: Room): string {
  if (!room.fixed || text_px <= room.free_px) return text;
  const shorter = short();
  return ruler.width(shorter) <= room.free_px ? shorter : NO_ROOM;
}

/** Says the whole of a number that is written shorter. */
export function titleWhole(root: HTMLElement, shown: string, { text }: NumberText, { news }: PaintCall, room: Room): void {
  if (room.fixed || !news) setTitle(root, shown === text ? "" : text);
}

/** A number at its cell's right edge. Returns what is written. */
export function paintEdged(root: HTMLElement, written: NumberText, { context: { widths } }: PaintCall, room: Room): string {
  const text_px = widths.rulers.main.width(written.text);
  room.ask(text_px);
  const shown = within(written, text_px, widths.rulers.main, room);
  setText(root, shown);
  return shown;
}

/**
 * A number, so far from the cell's right edge that decimal points stand under one another: see `--decimals` in the style sheet.
 * Returns how much it takes, pixels.
 */
export function paintNumber(root: HTMLElement, row: Row, written: NumberText, call: PaintCall, room: Room, node: Element = root): number {
  const { widths, fraction } = call.context;
  const ruler = node === root ? widths.rulers.main : widths.rulers.bold;
  const decimals = alignedAt(row);
  const text_px = ruler.width(written.text);
  const aligned_px = text_px + Math.max(0, fraction - decimals) * ruler.digit_px;
  if (written.text !== "") room.ask(aligned_px);
  const aligns = !room.fixed || aligned_px <= room.free_px;
  const shown = within(written, text_px, ruler, room);
  setText(node, shown);
  if (node === root) titleWhole(root, shown, written, call, room);
  const set = String(aligns ? decimals : MOST_DIGITS);
  if (root.dataset.decimals !== set) {
    root.dataset.decimals = set;
    root.style.setProperty("--decimals", set);
  }
  return aligns ? aligned_px : text_px;
}

/** More than a number has after its point: it stands at the edge. */
const MOST_DIGITS = 100;

/** The digits after a number's point; without a point it is half a digit shorter still. */
function alignedAt(row: Row): number {
  return row.decimals === 0 ? -0.5 : row.decimals;
}

export function priceOf(value: number | undefined, row: Row, { context: { format } }: PaintCall): NumberText {
  return { text: format.price(value, row.decimals), short: () => format.short(value) };
}
