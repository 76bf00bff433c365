import "./styles/page.css";
import { App } from "./app";
import { readFace } from "./face";
import { install } from "./install";

new App(readFace(new URL(location.href)));
install();
