/** A tab that is only passed by (Ctrl-Tab) does not leave its symbols. */
const HIDDEN_GRACE_MS = 1000;

/** Whether anybody looks at this tab. */
export class TabVisibility {
  visible = !document.hidden;
  private hiding: number | undefined;

  constructor(private readonly changed: () => void) {
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.hiding);
      if (document.hidden) this.hiding = window.setTimeout(() => this.turn(false), HIDDEN_GRACE_MS);
      else this.turn(true);
    });
  }

  private turn(visible: boolean): void {
    this.visible = visible;
    this.changed();
  }
}

/** The pace of the board, updates a second: of rows out of view, and of everything while the tab is hidden. */
export function boardHz(visible: boolean): number {
  return visible ? 1 : 0.2;
}
