// The first load of the page, compressed as the server compresses it, against its budget. Charts are loaded when asked for and not counted.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET = 330_000;
const DIST = new URL("../dist/", import.meta.url).pathname;

const html = readFileSync(join(DIST, "index.html"), "utf8");
const linked = [...html.matchAll(/<(?:script|link)\b[^>]*(?:src|href)="\.\/([^"]+)"/g)].map((match) => match[1]);
const workers = readdirSync(join(DIST, "assets")).filter((name) => name.startsWith("worker-")).map((name) => `assets/${name}`);
const files = ["index.html", ...new Set([...linked, ...workers])];

let total = 0;
for (const name of files) {
  const size = gzipSync(readFileSync(join(DIST, name)), { level: 9 }).length;
  total += size;
  console.log(`${String(size).padStart(8)}  ${name}`);
}
console.log(`${String(total).padStart(8)}  of ${BUDGET} bytes, compressed`);
if (total > BUDGET) {
  console.error(`The first load is ${total - BUDGET} bytes over its budget.`);
  process.exitCode = 1;
}
