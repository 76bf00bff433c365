import { describe, expect, test, vi } from "vitest";
import { requestChange } from "../../src/net/admin";
import type { AskServer } from "../../src/net/ask-server";

describe("a change of the symbols", () => {
  const answered = (status: number, body: unknown): AskServer => vi.fn(async () => new Response(JSON.stringify(body), { status }));

  test("sends the token in a header and never in an address", async () => {
    const send = answered(201, { ok: true });
    expect(await requestChange(send, "secret-secret-secret", { add: "BTC/USD", feed: "sim" })).toBeUndefined();
    expect(await requestChange(send, "secret-secret-secret", { remove: "BTC/USD" })).toBeUndefined();
    const calls = vi.mocked(send).mock.calls;
    expect(calls.map(([path, init]) => [path, init?.method, init?.body])).toEqual([
      ["api/symbols", "POST", '{"symbol":"BTC/USD","feed":"sim"}'], ["api/symbols/BTC%2FUSD", "DELETE", undefined],
    ]);
    for (const [path, init] of calls) {
      expect(init?.headers).toMatchObject({ Authorization: "Bearer secret-secret-secret" });
      expect(String(path)).not.toContain("secret");
    }
  });

  test("says why it was refused, whatever came back", async () => {
    const refused = answered(401, { error: { code: "unauthorized", message: "the admin token is missing or wrong" } });
    expect(await requestChange(refused, "", { remove: "A" })).toEqual({ code: "unauthorized", message: "the admin token is missing or wrong" });
    const broken = vi.fn(async () => new Response("<html>", { status: 502 }));
    expect(await requestChange(broken, "", { remove: "A" })).toMatchObject({ code: "unreachable" });
    expect(await requestChange(vi.fn(() => Promise.reject(new TypeError("no network"))), "", { remove: "A" })).toEqual({ code: "unreachable", message: "no network" });
  });
});
