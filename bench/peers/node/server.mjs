// Socket.IO on Node: a namespace a symbol, io.of(ns).emit a quote, default options apart from the transport.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Server } from "socket.io";

const { values } = parseArgs({
  options: { port: { type: "string" }, symbols: { type: "string" }, template: { type: "string" } },
});
const quote = JSON.parse(values.template);
const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });
const namespaces = Array.from({ length: Number(values.symbols) }, (_, number) => {
  const name = `S${String(number).padStart(4, "0")}`;
  return [name, io.of(`/${name}`)];
});

let seq = quote.seq;
let hz = 0;
let due = 0;
let timer;

const nowUs = () => Math.round((performance.timeOrigin + performance.now()) * 1000);

function round() {
  due = Math.max(due + 1000 / hz, performance.now()); // a late round is not made up for
  seq += 1;
  const received_time = nowUs();
  for (const [symbol, namespace] of namespaces) namespace.emit("quote", { ...quote, symbol, received_time, seq });
  schedule();
}

function schedule() {
  const wait = due - performance.now();
  timer = wait < 0.5 ? setImmediate(round) : setTimeout(round, Math.floor(wait));
}

let input = "";
process.stdin.on("data", (text) => {
  const lines = (input + text).split("\n");
  input = lines.pop();
  for (const line of lines) {
    hz = Number(line.replace("rate ", ""));
    clearTimeout(timer);
    clearImmediate(timer);
    due = performance.now();
    if (hz > 0) schedule();
  }
});
process.stdin.on("end", () => process.exit(0));
http.listen(Number(values.port), "127.0.0.1");
