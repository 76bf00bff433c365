import type { Face } from "./face";
import { loadPrefs, savePrefs } from "./prefs";
import { readView, saysNothing, writeView, type View } from "./view";

/** So many addresses are written at once, and one in each pause after that: Safari takes 100 in 30 s, and stops listening then. */
const AT_ONCE = 40;
const PAUSE_MS = 500;

/** Where the page lies; tests step it. */
export interface BrowserLocation {
  search(): string;
  /** Another query of the same page, without a step in the reader's history. */
  replace(search: string): void;
  now(): number;
  setTimer(callback: () => void, delay_ms: number): unknown;
}

export const browserLocation: BrowserLocation = {
  search: () => location.search,
  replace: (search) => {
    const url = new URL(location.href); // not relative to the path: one that begins with // would be taken for a host
    url.search = search;
    history.replaceState(history.state, "", url);
  },
  now: () => performance.now(),
  setTimer: (callback, delay_ms) => setTimeout(callback, delay_ms),
};

/**
 * The one owner of what is shown. The address says it, also while it changes; where it says nothing it is the reader's last view, which
 * is then written into it. Kiosk and embedded table read theirs and leave it alone: they are nobody's last view.
 */
export class Address {
  view: View;
  private left = AT_ONCE;
  private counted_ms: number;
  private armed = false;

  /** `sortable`: columns that there are to sort by. */
  constructor(
    private readonly face: Pick<Face, "kind">, sortable: readonly string[],
    private readonly storage: Pick<Storage, "getItem" | "setItem"> | undefined, private readonly location: BrowserLocation = browserLocation,
  ) {
    this.counted_ms = location.now();
    const search = location.search();
    if (face.kind !== "desk") {
      this.view = { ...readView(search, sortable), q: "", symbol: undefined }; // neither has a place to show or change them
      return;
    }
    this.view = readView(saysNothing(search) ? loadPrefs(storage).view : search, sortable);
    this.write();
  }

  /** The reader looks at something else. */
  change(change: Partial<View>): void {
    if (this.face.kind !== "desk") return;
    const before = writeView("", this.view);
    this.view = { ...this.view, ...change };
    const view = writeView("", this.view);
    if (view === before) return;
    savePrefs(this.storage, { view });
    if (this.armed) return;
    const now_ms = this.location.now();
    this.left = Math.min(AT_ONCE, this.left + (now_ms - this.counted_ms) / PAUSE_MS);
    this.counted_ms = now_ms;
    if (this.left >= 1) {
      this.write();
      return;
    }
    this.armed = true;
    this.location.setTimer(() => this.write(), (1 - this.left) * PAUSE_MS);
  }

  private write(): void {
    this.armed = false;
    this.left -= 1;
    const search = this.location.search();
    const wanted = writeView(search, this.view);
    if (wanted !== search) this.location.replace(wanted);
  }
}
