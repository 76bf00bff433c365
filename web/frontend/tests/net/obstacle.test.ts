import { describe, expect, test } from "vitest";
import { Texts } from "../../src/i18n/texts";
import { readObstacle } from "../../src/net/obstacle";
import { obstacleText } from "../../src/ui/connection-chip";

const en = new Texts("en");

describe("an answer instead of a connection", () => {
  test.each([
    [400, '{"code":4,"message":"origin not allowed; …","reason":"origin_not_allowed"}', "the Host header"],
    [421, '{"error":{"code":"unknown_host","message":"this relay does not answer …"}}', "server.allowed_hosts"],
    [431, '{"code":3,"message":"headers too big","reason":"headers_too_big"}', "Cookies of other pages"],
    [400, '{"code":5,"message":"unsupported Engine.IO version","reason":"unsupported_version"}', "Load the page again"],
    [502, "<html><h1>502 Bad Gateway</h1></html>", "does not reach the relay (502)"],
    [504, "", "does not reach the relay (504)"],
    [403, "<html>Forbidden by policy</html>", "not the relay (403)"],
    [404, '{"detail":"Not Found"}', "not the relay (404)"],
  ])("%s %s is told in words", (status, body, words) => {
    const obstacle = readObstacle(status, body);
    expect(obstacle && obstacleText(obstacle, en)).toContain(words);
  });

  test("of the relay that the page has no words for is told in the relay's own", () => {
    const obstacle = readObstacle(400, '{"code":3,"message":"not on <b>Sundays</b> {status}","reason":"sunday"}');
    expect(obstacle && obstacleText(obstacle, en)).toBe("The relay refuses this page (400): not on <b>Sundays</b> {status}");
  });

  test.each(["constructor", "toString", "__proto__"])("with %s for a reason is one without words", (reason) => {
    const obstacle = readObstacle(400, JSON.stringify({ message: "m", reason }));
    expect(obstacle && obstacleText(obstacle, en)).toBe("The relay refuses this page (400): m");
  });

  test("that a restart gives to everybody is none", () => {
    expect(readObstacle(503, '{"code":3,"message":"shutting down","reason":"shutting_down"}')).toBeUndefined();
  });
});
