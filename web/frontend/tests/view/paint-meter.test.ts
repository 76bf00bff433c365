import { describe, expect, test } from "vitest";
import { Percentiles } from "../../src/view/paint-meter";

describe("percentiles", () => {
  test("of the newest values only", () => {
    const meter = new Percentiles();
    expect(meter.read(0.5)).toEqual([undefined]);
    for (let value = 0; value < 5000; value += 1) meter.add(9e9);
    for (let value = 0; value < 1024; value += 1) meter.add(value);
    expect(meter.read(0, 0.5, 0.99, 1)).toEqual([0, 512, 1013, 1023]);
  });
});
