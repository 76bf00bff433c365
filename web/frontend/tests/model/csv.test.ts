import { describe, expect, test } from "vitest";
import { toCsv } from "../../src/model/csv";

describe("CSV", () => {
  test("text that a spreadsheet would run is disarmed, numbers are left alone", () => {
    expect(toCsv(["symbol", "name", "change"], [["=X", "@SUM(A1)", -0.5], ["A", "-1+2", undefined], ["B", "+1.5", 2]]))
      .toBe("symbol,name,change\r\n'=X,'@SUM(A1),-0.5\r\nA,'-1+2,\r\nB,+1.5,2\r\n");
  });

  test("commas, quotes and line ends stay inside their cell", () => {
    expect(toCsv(["a"], [['say "hi", twice\nor more']])).toBe('a\r\n"say ""hi"", twice\nor more"\r\n');
  });
});
