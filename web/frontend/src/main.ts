import "./styles/page.css";
import { Address } from "./address";
import { readFace } from "./face";
import { FirstTable, readFirstRows } from "./first";
import { install } from "./install";
import { loaded } from "./loaded";
import { Link } from "./net/link";
import { tokenBox } from "./net/token";
import { boardHz } from "./pace";
import { nextPaint } from "./paint";
import { browserStorage } from "./storage";

document.getElementById("unloaded")?.remove();
const face = readFace(new URL(location.href));
const address = new Address(face, browserStorage("localStorage"));
const link = new Link(face.shared);
// The connection is made while the table's code, most of the page, is on its way; the table says later which rows are in view.
const visible = !document.hidden;
link.want({
  type: "interest", visible, online: navigator.onLine, symbols: [], board_hz: boardHz(visible), symbol_hz: null, token: tokenBox().read(),
});
const first = readFirstRows();
const before = first && { rows: first, table: new FirstTable(face, address.view, first) };
void (before ? nextPaint() : Promise.resolve()).then(() => loaded(() => import("./app"))).then(({ App }) => new App(face, address, link, before));
install();
