import "./styles/tape.css";
import { readFace } from "./face";
import { Tape } from "./tape";

new Tape(readFace(new URL(location.href)));
