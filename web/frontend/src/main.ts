import "./styles/page.css";
import { Address } from "./view/address";
import { readFace } from "./view/face";
import { FirstTable, readFirstRows } from "./first-paint";
import { install } from "./net/service-worker";
import { loaded } from "./ui/load-code";
import { Link } from "./net/link";
import { tokenBox } from "./net/token";
import { boardHz } from "./view/board-rate";
import { nextPaint } from "./view/paint";
import { browserStorage } from "./net/storage";

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
