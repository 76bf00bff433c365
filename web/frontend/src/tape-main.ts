import "./styles/tape.css";
import { Link } from "./net/link";
import { Tape } from "./tape";
import { loadCode } from "./ui/load-code";
import { readFace } from "./view/face";

document.getElementById("unloaded")?.remove();
const face = readFace(new URL(location.href));
new Tape(face, new Link(face.shared, loadCode));
