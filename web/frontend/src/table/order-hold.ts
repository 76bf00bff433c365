/** A pointer that moves on the page is on its way to something: so long after its last move nothing changes its place. */
const ON_ITS_WAY_MS = 400;
/** A finger comes without a way. Who has just touched the page will do so again: so long after it was lifted nothing changes its place. */
const TOUCHED_MS = 5000;
/** Nor can a finger that is coming be seen: where fingers are used the order changes no oftener. */
const FINGERS_MS = 3000;
/** A press that was moved by more pixels is a drag. */
const DRAG_PX = 6;

/** Something pressed on a row, until it is let go. */
interface Press {
  id: string;
  x: number;
  y: number;
  /** How far it may be moved and still be none. A finger that is moved scrolls, and its taps are put right by the browser, by some pixels. */
  slop_px: number;
}

/** What the browser says at the moment. */
export interface Pointer {
  /** The pointer is over a row. */
  isOver(): boolean;
  /** A row has the focus. */
  isFocused(): boolean;
  /** It is a finger, more often than not. */
  isFinger(): boolean;
  /** A clock that only goes forward, ms. */
  now(): number;
}

/**
 * Whether the order of the rows stands still: while the pointer is over them, a finger touches the page, or one of them has the focus.
 * What was seen under the pointer is then what opens.
 */
export class OrderHold {
  private touching = false;
  private byTouch = false;
  private touched_ms = -Infinity;
  private moved_ms = -Infinity;
  private ordered_ms = -Infinity;

  constructor(private readonly pointer: Pointer) {}

  /** Something rests on the rows. What a finger leaves behind, a focus or a pointer that never leaves, holds nothing. */
  get rests(): boolean {
    if (this.touching || this.pointer.now() < this.touched_ms + TOUCHED_MS) return true;
    return !this.byTouch && (this.pointer.isOver() || this.pointer.isFocused());
  }

  get holds(): boolean {
    const now_ms = this.pointer.now();
    return this.rests || now_ms < this.moved_ms + ON_ITS_WAY_MS || (this.pointer.isFinger() && now_ms < this.ordered_ms + FINGERS_MS);
  }

  /** The rows were put in order. */
  ordered(): void {
    this.ordered_ms = this.pointer.now();
  }

  /** A mouse or a pen moves somewhere on the page. */
  moved(): void {
    this.byTouch = false;
    this.moved_ms = this.pointer.now();
  }

  /** A key was pressed: whoever has the focus meant it. */
  typed(): void {
    this.byTouch = false;
  }

  /** A finger came down on the page, or was lifted. */
  touches(touching: boolean): void {
    this.byTouch = true;
    this.touching = touching;
    this.touched_ms = this.pointer.now();
  }
}

/** The pointer over the rows below `root`. */
export function pointerOver(root: HTMLElement): Pointer {
  const coarse = matchMedia("(pointer: coarse)");
  return {
    isOver: () => root.querySelector(".ag-row:hover") !== null,
    isFocused: () => document.hasFocus() && root.contains(document.activeElement) && rowAt(document.activeElement) !== null,
    isFinger: () => coarse.matches,
    now: () => performance.now(),
  };
}

function rowAt(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>(".ag-row") : null;
}

/** Tells `hold` of the pointer. `opened`: one of the rows below `root`, by its id, was clicked or tapped. */
export function listenToPointer(root: HTMLElement, hold: OrderHold, opened: (id: string) => void): void {
  let press: Press | undefined;
  const isTouch = (event: PointerEvent): boolean => event.pointerType === "touch";
  document.addEventListener("pointermove", (event) => isTouch(event) || hold.moved(), { passive: true });
  document.addEventListener("pointerdown", (event) => isTouch(event) && hold.touches(true), { capture: true, passive: true });
  for (const name of ["pointerup", "pointercancel"] as const) {
    document.addEventListener(name, (event) => isTouch(event) && hold.touches(false), { capture: true, passive: true });
  }
  document.addEventListener("keydown", () => hold.typed(), { capture: true, passive: true });
  root.addEventListener("pointerdown", (event) => {
    const id = rowAt(event.target)?.getAttribute("row-id");
    press = event.button === 0 && id ? { id, x: event.clientX, y: event.clientY, slop_px: isTouch(event) ? Infinity : DRAG_PX } : undefined;
  }, { capture: true, passive: true });
  root.addEventListener("click", (event) => {
    const pressed = press;
    press = undefined;
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (pressed && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > pressed.slop_px) return;
    const marked = getSelection();
    if (marked && marked.toString() !== "" && root.contains(marked.anchorNode)) return; // the reader marks a text here
    const id = pressed?.id ?? rowAt(event.target)?.getAttribute("row-id"); // a click without a press is one of an assistive technology
    if (id) opened(id);
  });
}
