import { browserStorage } from "../net/storage";
import { loadPrefs, PREFS_KEY, savePrefs, type Prefs } from "./prefs";

/** The reader's preferences: kept in this browser, and followed where another of its tabs changes them. */
export class SyncedPrefs {
  /** Always the same object; its fields change. */
  readonly prefs: Prefs = loadPrefs(browserStorage("localStorage"), navigator.languages);

  /** `isTheirs`: another tab's choice. */
  constructor(private readonly changed: (before: Prefs, isTheirs: boolean) => void) {
    addEventListener("storage", ({ key }) => key === PREFS_KEY && this.take(loadPrefs(browserStorage("localStorage"), navigator.languages), true));
  }

  save(change: Partial<Prefs>): void {
    savePrefs(browserStorage("localStorage"), change);
    this.take(change, false);
  }

  private take(change: Partial<Prefs>, isTheirs: boolean): void {
    const before = { ...this.prefs };
    Object.assign(this.prefs, change);
    this.changed(before, isTheirs);
  }
}
