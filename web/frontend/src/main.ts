import "./styles/page.css";
import { readFace } from "./face";
import { install } from "./install";
import { Link } from "./net/link";
import { tokenBox } from "./net/token";
import { boardHz } from "./pace";

const face = readFace(new URL(location.href));
const link = new Link(face.shared);
// The connection is made while the table's code, most of the page, is on its way; the table says later which rows are in view.
const visible = !document.hidden;
link.want({
  type: "interest", visible, online: navigator.onLine, symbols: [], board_hz: boardHz(visible), symbol_hz: null, token: tokenBox().read(),
});
void import("./app").then(({ App }) => new App(face, link));
install();
