import { describe, expect, test } from "vitest";
import { compareValues } from "../../src/table/columns";

describe("order", () => {
  test.each([[false], [true]])("rows without a value come last (descending: %s)", (descending) => {
    const values = [undefined, 2, undefined, -1, 10];
    const sign = descending ? -1 : 1; // as the grid turns the answer round
    const sorted = [...values.keys()].sort((a, b) => sign * compareValues(values[a], values[b], descending)).map((at) => values[at]);
    expect(sorted).toEqual(descending ? [10, 2, -1, undefined, undefined] : [-1, 2, 10, undefined, undefined]);
  });

  test("text with numbers in it counts as people count", () => {
    expect(["SIM10", "SIM9", "AAPL"].sort((a, b) => compareValues(a, b, false))).toEqual(["AAPL", "SIM9", "SIM10"]);
  });
});
