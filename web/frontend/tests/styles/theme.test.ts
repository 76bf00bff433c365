import { describe, expect, test } from "vitest";
import CSS from "../../src/styles/theme.css?raw";

/** The custom properties of each rule of the theme, in its order: light, dark by the system, dark by choice. */
const THEMES = [...CSS.matchAll(/\{([^{}]*--ground:[^{}]*)\}/g)].map(([, rule]) =>
  Object.fromEntries([...(rule ?? "").matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value])));

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG 2: 1 to 21. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

test("there are three of them, and dark is dark, however it was chosen", () => {
  expect(THEMES).toHaveLength(3);
  expect(THEMES[1]).toEqual(THEMES[2]);
});

describe.each([["light", THEMES[0] ?? {}], ["dark", THEMES[1] ?? {}]])("%s: text on its ground is AA", (_name, theme) => {
  const texts = ["text", "muted", "accent", "good", "warn", "bad", "green", "red", "blue", "orange"];
  const grounds = ["ground", "panel", "hover"];
  test.each(texts.flatMap((text) => grounds.map((ground) => [text, ground])))("%s on %s", (text, ground) => {
    expect(contrast(theme[text] ?? "", theme[ground] ?? "")).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["green", "red", "blue", "orange"])("in a flash of %s: the price, and the move in its own colour", (colour) => {
    expect(contrast(theme.text ?? "", theme[`${colour}-glow`] ?? "")).toBeGreaterThanOrEqual(7);
    expect(contrast(theme[colour] ?? "", theme[`${colour}-glow`] ?? "")).toBeGreaterThanOrEqual(4.5);
  });
});
