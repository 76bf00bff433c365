import type { ColumnState } from "ag-grid-community";
import type { Layout } from "../view/layout";
import { rulersOf, type Rulers } from "./ruler";

/** What is known of a column before anything stands in it, pixels. */
export interface ColumnMeasures {
  id: string;
  title: string;
  /** At first, and never less. On a screen on a wall: its share of the screen. */
  width_px: number;
  /** It takes what the others leave: what stands in it does not make it wider. */
  takesRest: boolean;
  /** What is in a cell beside its text: what stands around it, an arrow, a sign. */
  beside_px: number;
  /** The same for the title. */
  beside_title_px: number;
  /** On a screen on a wall: text and lines yield down to this. */
  yields_px: number;
}

/** Sizes of the titles' font, pixels. As in `grid-theme.ts` and the style sheets. */
export const HEAD_PX: Readonly<Record<Layout, number>> = { wide: 12, narrow: 12, kiosk: 16 };

/** An arrow beside a title, with what keeps it away; a figure beside the arrow, where several columns sort; a filter's button. */
const SORTED_PX = 23;
const PLACE_PX = 14;
const FILTERED_PX = 18;

/** Widths are whole pixels, and what is added up of single characters may be half a pixel short. */
const SLACK_PX = 1;

/** On a screen on a wall nobody can scroll: rather all of it smaller, down to this share of the size. */
const SMALLEST = 0.45;
const STEP = 0.05;

/** The room that one column has for what its cells say. */
export class Room {
  /** What the column has now. Written before each paint. */
  width_px = 0;
  /** The reader made the column so wide: what does not fit is said shorter. */
  fixed = false;
  head_px = 0;
  most_px = 0;

  constructor(public measures: ColumnMeasures, private readonly changed: () => void) {}

  /** A text in this column takes `text_px`. */
  ask(text_px: number): void {
    if (text_px <= this.most_px) return;
    this.most_px = text_px;
    this.changed();
  }

  /** What the column has for its text. */
  get free_px(): number {
    return this.width_px - this.measures.beside_px;
  }

  /** What it needs with its text at `scale` of its size. */
  needed_px(scale: number): number {
    const text_px = this.most_px > 0 ? Math.ceil(this.most_px * scale) + SLACK_PX : 0;
    return Math.max(text_px + this.measures.beside_px, this.head_px);
  }
}

/** What the widths are of: the grid, or the rows before it. */
export interface Widened {
  /** The columns shown, and how wide they are. */
  shown(): ReadonlyMap<string, number>;
  /** Of all columns together, as far as they can be seen. */
  available_px(): number;
  give(widths: ReadonlyMap<string, number>): void;
}

/**
 * How wide columns are: as wide as what they hold.
 *
 * Painters say what they have written (`Room.ask`), reckoned from the widths of single characters. Only what is longer than anything
 * before it moves a column, before the frame is drawn; columns become narrower again only with other rows, another language or a reset.
 */
export class Widths {
  rulers!: Rulers;
  /** Of the cells' text; below 1 only on a screen on a wall. */
  scale = 1;
  private layout: Layout = "wide";
  private readonly rooms = new Map<string, Room>();
  private widened: Widened | undefined;
  private settling = false;
  private root: HTMLElement | undefined;

  /** The columns and their fonts, as they are in `root`, which is in the document. */
  begin(root: HTMLElement, layout: Layout, columns: readonly ColumnMeasures[], widened: Widened): void {
    this.layout = layout;
    this.widened = widened;
    this.setScale(root, 1);
    this.rulers = rulersOf(root, HEAD_PX[layout]);
    for (const measures of columns) {
      const room = this.rooms.get(measures.id);
      if (room) room.measures = measures;
      else this.rooms.set(measures.id, new Room(measures, () => this.changed()));
    }
    this.root = root;
    this.forget();
    this.titled([]);
  }

  room(id: string): Room {
    const room = this.rooms.get(id);
    if (!room) throw new Error(`There is no column ${id}.`);
    return room;
  }

  /** What stands in the columns from now on may be shorter. */
  forget(): void {
    for (const room of this.rooms.values()) room.most_px = 0;
    this.changed();
  }

  /** Titles that have something beside them: `sort` or a `filter`. */
  titled(states: readonly { colId: string; sort?: unknown; filtered?: boolean }[]): void {
    const several = states.filter(({ sort }) => sort).length > 1;
    for (const room of this.rooms.values()) {
      const { id, title, beside_title_px } = room.measures;
      const state = states.find(({ colId }) => colId === id);
      const arrow_px = state?.sort ? SORTED_PX + (several ? PLACE_PX : 0) : 0;
      room.head_px = Math.ceil(this.rulers.head.width(title)) + SLACK_PX + beside_title_px + arrow_px + (state?.filtered ? FILTERED_PX : 0);
    }
    this.changed();
  }

  /** The reader made this column as wide as it is. */
  choose(id: string): void {
    this.room(id).fixed = true;
  }

  /** The reader's columns as they were kept. A width that is the first one is no choice. */
  chosen(states: readonly ColumnState[] | undefined): void {
    for (const room of this.rooms.values()) {
      const width_px = states?.find(({ colId }) => colId === room.measures.id)?.width;
      room.fixed = width_px !== undefined && width_px !== room.measures.width_px;
    }
    this.changed();
  }

  /** Of `states` what the reader chose: widths that came of themselves are no choice. */
  choices(states: readonly ColumnState[]): ColumnState[] {
    return states.map((state) => {
      if (this.room(state.colId).fixed) return state;
      const { width: _, ...rest } = state;
      return rest;
    });
  }

  /** Gives the columns what they need now. */
  settle(): void {
    this.settling = false;
    if (!this.widened || !this.root) return;
    const shown = this.widened.shown();
    const wanted = this.layout === "kiosk" ? this.shared(this.root, shown, this.widened.available_px()) : this.wanted(shown);
    for (const [id, width_px] of wanted) if (shown.get(id) === width_px) wanted.delete(id);
    if (wanted.size > 0) this.widened.give(wanted);
  }

  private wanted(shown: ReadonlyMap<string, number>): Map<string, number> {
    const wanted = new Map<string, number>();
    for (const id of shown.keys()) {
      const room = this.room(id);
      if (!room.fixed && !room.measures.takesRest) wanted.set(id, Math.max(room.measures.width_px, room.needed_px(1)));
    }
    return wanted;
  }

  /** The screen shared out among all columns, in letters as large as it has room for. */
  private shared(root: HTMLElement, shown: ReadonlyMap<string, number>, available_px: number): Map<string, number> {
    const rooms = [...shown.keys()].map((id) => this.room(id));
    const least = (scale: number): number[] => rooms.map((room) => Math.max(room.measures.yields_px, room.needed_px(scale)));
    let scale = 1;
    while (scale > SMALLEST && sum(least(scale)) > available_px) scale -= STEP;
    this.setScale(root, scale);
    const widths_px = shareOut(rooms.map((room) => room.measures.width_px), least(scale), available_px);
    return new Map(rooms.map((room, index) => [room.measures.id, widths_px[index] ?? 0]));
  }

  private setScale(root: HTMLElement, scale: number): void {
    this.scale = scale;
    root.style.setProperty("--scale", scale.toFixed(2));
  }

  /** Somebody needs more, or there is less to share out: looked at before the frame is drawn, once for all that is painted now. */
  changed(): void {
    if (this.settling) return;
    this.settling = true;
    queueMicrotask(() => this.settling && this.settle());
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** `available` in whole parts by `shares`, none less than its `least`. */
export function shareOut(shares: readonly number[], least: readonly number[], available: number): number[] {
  const parts = shares.map(() => 0);
  let open = shares.map((_, index) => index);
  let left = available;
  for (;;) {
    const whole = sum(open.map((index) => shares[index] ?? 0));
    const short = open.filter((index) => (shares[index] ?? 0) * left < (least[index] ?? 0) * whole);
    if (short.length === 0) {
      for (const index of open) parts[index] = Math.floor(((shares[index] ?? 0) * left) / whole);
      return parts;
    }
    for (const index of short) {
      parts[index] = least[index] ?? 0;
      left -= least[index] ?? 0;
    }
    open = open.filter((index) => !short.includes(index));
  }
}
