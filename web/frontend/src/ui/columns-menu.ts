import type { ColumnState } from "ag-grid-community";
import type { Texts } from "../i18n/texts";
import { columnTitle } from "../table/columns";
import type { Table } from "../table/grid";
import { button, element } from "./dom";

/** Which columns are shown, in which order, and which stay put at the left. */
export class ColumnsMenu {
  constructor(private readonly root: HTMLElement, private readonly table: Table, private texts: Texts) {
    root.addEventListener("beforetoggle", (event) => event.newState === "open" && this.show());
  }

  setTexts(texts: Texts): void {
    this.texts = texts;
    this.root.setAttribute("aria-label", texts.say("columns.title"));
  }

  private show(): void {
    const columns = this.table.columnState();
    const reset = button(this.texts.say("columns.reset"), () => {
      this.table.resetColumns();
      this.show();
    }, { class: "wide" });
    this.root.replaceChildren(
      element("ul", { class: "columns" }, ...columns.map((column, index) => this.line(columns, column, index))), reset,
    );
  }

  private line(columns: readonly ColumnState[], column: ColumnState, index: number): HTMLElement {
    const title = columnTitle(column.colId, this.texts);
    const box = element("input", { type: "checkbox" });
    box.checked = !column.hide;
    box.addEventListener("change", () => this.table.applyColumnState([{ colId: column.colId, hide: !box.checked }], false));
    const move = (step: -1 | 1, sign: string, label: string): HTMLElement => {
      const made = button(sign, () => this.move(columns, index, step), { class: "icon", "aria-label": label, title: label });
      made.disabled = index + step < 0 || index + step >= columns.length;
      return made;
    };
    const pin = button("⇤", () => {
      this.table.applyColumnState([{ colId: column.colId, pinned: column.pinned ? null : "left" }], false);
      this.show();
    }, { class: "icon", "aria-pressed": String(Boolean(column.pinned)), "aria-label": this.texts.say("columns.pin", { column: title }), title: this.texts.say("columns.pin", { column: title }) });
    return element(
      "li", {}, element("label", {}, box, title),
      move(-1, "↑", this.texts.say("columns.earlier", { column: title })), move(1, "↓", this.texts.say("columns.later", { column: title })), pin,
    );
  }

  private move(columns: readonly ColumnState[], index: number, step: -1 | 1): void {
    const order = [...columns];
    const [moved] = order.splice(index, 1);
    if (!moved) return;
    order.splice(index + step, 0, moved);
    this.table.applyColumnState(order);
    this.show();
    this.root.querySelectorAll<HTMLElement>("li")[index + step]?.querySelector<HTMLElement>(step < 0 ? ".icon" : ".icon:nth-of-type(2)")?.focus();
  }
}
