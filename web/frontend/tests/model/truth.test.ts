import { describe, expect, test } from "vitest";
import { Texts } from "../../src/i18n/texts";
import type { Connection } from "../../src/model/connection";
import { Formatter } from "../../src/model/format";
import { Store, type Row } from "../../src/model/store";
import { explanation, markedWords, saidOf, shortWords, spokenWords, truthOf, type Circumstances, type Truth } from "../../src/model/truth";
import type { FeedInfo, Quote, SymbolInfo } from "../../src/model/wire";
import { priceSentence } from "../../src/ui/announcer";
import { info, quote } from "../quotes";

const DAY_MS = 86_400_000;
const NOW_MS = 10 * DAY_MS;
const [EN, ZH] = [new Texts("en"), new Texts("zh")];

/** A row as the store has it after a hello, its symbol and, where there is one, its quote. */
function row(said: Partial<Quote> | undefined, about: Partial<SymbolInfo> = {}): Row {
  const store = new Store();
  store.begin("e");
  store.applySymbols([info("A", about)]);
  if (said) store.applyQuotes([quote("A", 1, 10, { received_time: NOW_MS - 2000, ...said })], 0);
  return store.rows.get("A") as Row;
}

function judge(said: Partial<Quote> | undefined, about: Partial<SymbolInfo> = {}, now: Partial<Circumstances> = {}): Truth {
  return truthOf(row(said, about), { generation: 1, connection: "live", feeds: new Map(), server_ms: NOW_MS, ...now });
}

interface Case {
  said: Partial<Quote> | undefined;
  about?: Partial<SymbolInfo>;
  now?: Partial<Circumstances>;
  live: boolean;
  doubtful: boolean;
  marked: string;
  spoken: string;
  chinese: string;
}

const OLD = { generation: 2 };
const LATE = { delay_min: 15 };
const CASES: Readonly<Record<string, Case>> = {
  "a fresh price": { said: {}, live: true, doubtful: false, marked: "fresh", spoken: "fresh", chinese: "最新" },
  "one without delay": { said: { delay_min: 0 }, live: true, doubtful: false, marked: "fresh", spoken: "fresh", chinese: "最新" },
  "a delayed one": { said: LATE, live: true, doubtful: false, marked: "◷ delayed 15m", spoken: "delayed by 15 minutes", chinese: "延迟 15 分钟" },
  "one delayed by half a minute": { said: { delay_min: 0.5 }, live: true, doubtful: false, marked: "◷ delayed 0.5m", spoken: "delayed by 0.5 minutes", chinese: "延迟 0.5 分钟" },
  "one delayed by a day": { said: { delay_min: 1440 }, live: true, doubtful: false, marked: "◷ delayed 24h", spoken: "delayed by 24 hours", chinese: "延迟 24 小时" },
  "a stale one": { said: { state: "stale" }, live: false, doubtful: true, marked: "◐ stale", spoken: "stale", chinese: "过期" },
  "a delayed one that is stale": { said: { ...LATE, state: "stale" }, live: false, doubtful: true, marked: "◐ stale", spoken: "stale", chinese: "过期" },
  "a failed one": { said: { state: "failed" }, live: false, doubtful: true, marked: "✕ failed", spoken: "failed", chinese: "失败" },
  "a shut market": { said: { state: "closed" }, live: false, doubtful: false, marked: "☾ closed", spoken: "closed", chinese: "休市" },
  "a shut market, delayed": { said: { ...LATE, state: "closed" }, live: false, doubtful: false, marked: "☾ closed", spoken: "closed", chinese: "休市" },
  "a halt": { said: { state: "closed", halted: true }, live: false, doubtful: false, marked: "‖ halted", spoken: "halted", chinese: "停牌" },
  "a halt at a delayed source": { said: { ...LATE, halted: true }, live: false, doubtful: false, marked: "‖ halted", spoken: "halted", chinese: "停牌" },
  "a halt that nobody renews": { said: { state: "stale", halted: true }, live: false, doubtful: true, marked: "◐ stale", spoken: "stale", chinese: "过期" },
  "one from before the connection": { said: {}, now: OLD, live: false, doubtful: true, marked: "◌ waiting", spoken: "waiting", chinese: "等待" },
  "a delayed one from before it": { said: LATE, now: OLD, live: false, doubtful: true, marked: "◌ waiting", spoken: "waiting", chinese: "等待" },
  "one while recovering": { said: {}, now: { connection: "recovering" }, live: false, doubtful: true, marked: "◌ waiting", spoken: "waiting", chinese: "等待" },
  "a closed one while offline": { said: { state: "closed" }, now: { connection: "offline" }, live: false, doubtful: true, marked: "◌ waiting", spoken: "waiting", chinese: "等待" },
  "none yet": { said: undefined, about: { status: "pending" }, live: false, doubtful: true, marked: "○ no price yet", spoken: "no price yet", chinese: "暂无价格" },
  "none that could be used": {
    said: undefined, about: { status: "pending", error: "price: zero or below" }, live: false, doubtful: true,
    marked: "! no price yet", spoken: "no price yet", chinese: "暂无价格",
  },
  "a symbol that is refused": { said: undefined, about: { status: "rejected" }, live: false, doubtful: true, marked: "✕ rejected", spoken: "rejected", chinese: "被拒绝" },
  "one that is refused and had a price": {
    said: {}, about: { status: "rejected" }, now: { connection: "recovering" }, live: false, doubtful: true,
    marked: "✕ rejected", spoken: "rejected", chinese: "被拒绝",
  },
};

test.each(Object.entries(CASES))("%s", (_name, { said, about, now, live, doubtful, marked, spoken, chinese }) => {
  const truth = judge(said, about, now);
  expect({ live: truth.live, doubtful: truth.doubtful }).toEqual({ live, doubtful });
  expect([markedWords(truth, EN), spokenWords(truth, EN), shortWords(truth, ZH)]).toEqual([marked, spoken, chinese]);
});

test("each word has a mark of its own, but for a price that is as good as it looks", () => {
  const marks = new Map(Object.values(CASES).map(({ said, about, now }) => judge(said, about, now)).filter(({ reason }) => !reason).map(({ word, mark }) => [word, mark]));
  expect(marks.get("fresh")).toBe("");
  expect(marks.size).toBe(9);
  expect(new Set(marks.values()).size).toBe(8); // what failed and what is rejected share one
});

test.each(Object.entries(CASES))("what is read out of %s says so", (_name, { said, about, now, spoken }) => {
  const sentence = priceSentence(row(said, about), judge(said, about, now), new Formatter("en"), EN);
  expect(sentence).toBe(["A", ...(said ? ["10.00"] : []), ...(spoken === "fresh" ? [] : [spoken])].join(", "));
});

test.each(["live", "delayed"] satisfies Connection[])("the server is believed while %s", (connection) => {
  expect(judge({ state: "closed" }, {}, { connection }).word).toBe("closed");
});

test("a delay does not make a stale price better, and a market at rest is not late", () => {
  expect(saidOf(quote("A", 1, 10, { state: "stale", ...LATE }))).toBe("stale");
  expect(saidOf(quote("A", 1, 10, { state: "closed", ...LATE }))).toBe("closed");
});

describe("age", () => {
  test("counts from when the source made the price", () => {
    expect(judge({ quote_time: NOW_MS - 6000 }).age_ms).toBe(6000);
  });

  test("counts from its receipt where the source does not say", () => {
    expect(judge({}).age_ms).toBe(2000);
  });

  test("is never negative, and none where there is no price", () => {
    expect(judge({ quote_time: NOW_MS + 500 }).age_ms).toBe(0);
    expect(judge(undefined).age_ms).toBeUndefined();
  });
});

describe("the reason", () => {
  const down = new Map<string, FeedInfo>([["sim", { feed: "sim", kind: "simulated", state: "down", error: "HTTP 503" }]]);

  test("is what the server says of the symbol", () => {
    const truth = judge(undefined, { status: "pending", error: "price: zero or below" }, { feeds: down });
    expect(explanation(truth, EN)).toBe("no price yet: price: zero or below");
  });

  test.each([{ state: "stale" }, { state: "failed" }] as const)("is that of the feed where the price is %j", (said) => {
    expect(judge(said, {}, { feeds: down }).reason).toBe("sim: HTTP 503");
    expect(judge(undefined, { status: "pending" }, { feeds: down }).reason).toBe("sim: HTTP 503");
  });

  test("is none of a price that is fresh, closed or waited for, whatever its feed does next", () => {
    for (const said of [{}, LATE, { state: "closed" }] as const) expect(judge(said, {}, { feeds: down }).reason).toBe("");
    expect(judge({ state: "stale" }, {}, { feeds: down, ...OLD }).reason).toBe("");
    expect(explanation(judge({}), EN)).toBe("");
  });
});

test("nobody else judges: only one file reads what it is judged by", () => {
  const sources = import.meta.glob<string>("../../src/**/*.ts", { query: "?raw", import: "default", eager: true });
  expect(Object.keys(sources).length).toBeGreaterThan(40);
  const judges = Object.keys(sources).filter((name) => /\bquote\??\.(state|delay_min|halted)\b/.test(sources[name] ?? ""));
  expect(judges).toEqual(["../../src/model/truth.ts"]);
});
