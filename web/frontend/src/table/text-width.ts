import type { Layout } from "../view/layout";

/** Font sizes of the cells, pixels, at most. As in the style sheets. */
export const FONT_PX: Readonly<Record<Layout, number>> = { wide: 13, narrow: 14, kiosk: 22 };

/** What stands to the left and right of a cell's text, pixels. */
export const PADDING_PX = 14;

/** No letter is wider than so many times the font's size. */
const WIDEST_EM = 1.15;
/** Digits, points and signs in bold, in the widest of the common fonts. */
const DIGIT_EM = 0.7;
const LETTER_EM = 0.85;

/** How many pixels `text` takes at most. */
export function mostWidth(text: string, font_px: number): number {
  let em = 0;
  for (const letter of text) {
    if (letter >= " " && letter <= "?") em += DIGIT_EM; // % and & are wider, # is not
    else if (letter <= "~" && letter !== "M" && letter !== "W" && letter !== "m" && letter !== "w" && letter !== "@") em += LETTER_EM;
    else em += WIDEST_EM;
  }
  return em * font_px;
}

/**
 * Whether `element` must cut off what does not fit. Only where it may have to: each clip is a piece of its own to the browser's
 * compositor, and four of them in a row made every frame of a scroll a quarter dearer.
 */
export function setCut(element: Element, cut: boolean): void {
  if (element.classList.contains("cut") !== cut) element.classList.toggle("cut", cut);
}
