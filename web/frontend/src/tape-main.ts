import "./styles/tape.css";
import { readFace } from "./view/face";
import { Link } from "./net/link";
import { Tape } from "./tape";

document.getElementById("unloaded")?.remove();
const face = readFace(new URL(location.href));
new Tape(face, new Link(face.shared));
