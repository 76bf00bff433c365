import { expect, test } from "vitest";

/** The rooms from the ground up, in the order of `docs/page.md`: a module imports from its own room and from those before it. `""` is the root of `src`. */
const ROOMS = ["i18n", "model", "net", "history", "view", "table", "ui", ""];
const MOST_LINES = 350;
const MOST_TEST_LINES = 500;
const MOST_ENTRIES = 24;

const SOURCES = texts(import.meta.glob<string>("../src/**/*.{ts,css}", { query: "?raw", import: "default", eager: true }), "../src/");
const TESTS = texts(import.meta.glob<string>("./**/*.ts", { query: "?raw", import: "default", eager: true }), "./");
const MODULES = new Map([...SOURCES].filter(([path]) => path.endsWith(".ts")).map(([path, text]) => [path, importsOf(path, text)]));

function texts(files: Record<string, string>, root: string): ReadonlyMap<string, string> {
  return new Map(Object.entries(files).map(([path, text]) => [path.slice(root.length), text]));
}

/** What `text`, the module at `path`, imports of ours: statically, for a type only, when it is needed, or as a worker. */
function importsOf(path: string, text: string): string[] {
  const names = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\(|\bnew URL\()\s*"(\.{1,2}\/[^"]+)"/g)].map(([, name]) => name ?? "");
  const modules = names.filter((name) => !name.endsWith(".css") && !name.endsWith("/"));
  return modules.map((name) => new URL(name.replace(/(\.ts)?$/, ".ts"), `http://src/${path}`).pathname.slice(1));
}

function roomOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

/** The modules of a circle that can be reached from `path`; none where there is no circle. */
function circleFrom(path: string, way: readonly string[], done: Set<string>): readonly string[] {
  if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
  if (done.has(path)) return [];
  for (const next of MODULES.get(path) ?? []) {
    const circle = circleFrom(next, [...way, path], done);
    if (circle.length > 0) return circle;
  }
  done.add(path);
  return [];
}

test("every import is read, and names a module that is there", () => {
  const imported = [...MODULES.values()].flat();
  expect(imported.length).toBeGreaterThan(200);
  expect(imported.filter((path) => !MODULES.has(path))).toEqual([]);
  expect(["net/worker.ts", "history/chart.ts", "app.ts"].filter((path) => !imported.includes(path))).toEqual([]);
});

test("no arrow goes up from room to room", () => {
  const up = [...MODULES].flatMap(([path, imports]) =>
    imports.filter((other) => ROOMS.indexOf(roomOf(other)) > ROOMS.indexOf(roomOf(path))).map((other) => `${path} → ${other}`));
  expect(up).toEqual([]);
  expect([...MODULES.keys()].filter((path) => !ROOMS.includes(roomOf(path)))).toEqual([]);
});

test("no modules import one another in a circle, not even for a type", () => {
  const done = new Set<string>();
  expect([...MODULES.keys()].map((path) => circleFrom(path, [], done)).filter((circle) => circle.length > 0)).toEqual([]);
});

test("no file and no folder is longer than can be overlooked", () => {
  const long = (files: ReadonlyMap<string, string>, most: number): string[] =>
    [...files].filter(([, text]) => text.split("\n").length - 1 > most).map(([path]) => path);
  expect(long(SOURCES, MOST_LINES)).toEqual([]);
  expect(long(TESTS, MOST_TEST_LINES)).toEqual([]);
  const rooms = new Set([...SOURCES.keys()].map(roomOf));
  expect([...rooms].filter((room) => [...SOURCES.keys()].filter((path) => roomOf(path) === room).length > MOST_ENTRIES)).toEqual([]);
});

test("tests lie where what they test lies", () => {
  const inRooms = [...TESTS].filter(([path]) => roomOf(path) !== "");
  expect(inRooms.length).toBeGreaterThan(20);
  expect(inRooms.filter(([path, text]) => !text.includes(`"../../src/${roomOf(path)}/`)).map(([path]) => path)).toEqual([]);
});
