import "./styles/page.css";
import { FirstTable, readFirstRows } from "./first-paint";
import { Link } from "./net/link";
import { registerServiceWorker } from "./net/service-worker";
import { browserStorage } from "./net/storage";
import { tokenBox } from "./net/token";
import { SORTABLE_COLUMNS } from "./table/columns";
import { loadCode } from "./ui/load-code";
import { Address } from "./view/address";
import { readFace } from "./view/face";
import { nextPaint } from "./view/paint";
import { boardHz } from "./view/visibility";

document.getElementById("unloaded")?.remove();
const face = readFace(new URL(location.href));
const address = new Address(face, SORTABLE_COLUMNS, browserStorage("localStorage"));
const link = new Link(face.shared, loadCode);
// The connection is made while the table's code, most of the page, is on its way; the table says later which rows are in view.
const visible = !document.hidden;
link.want({
  type: "interest", visible, online: navigator.onLine, symbols: [], board_hz: boardHz(visible), symbol_hz: null, token: tokenBox().read(),
});
const first = readFirstRows();
const before = first && { rows: first, table: new FirstTable(face, address.view, first) };
void (before ? nextPaint() : Promise.resolve()).then(() => loadCode(() => import("./app"))).then(({ App }) => new App(face, address, link, before));
registerServiceWorker();
