/** The share of a font's size that a character takes where it could not be measured: no letter is wider. */
const WIDEST_EM = 1.15;

/**
 * How wide texts are in one font. Each character is measured once, on a canvas, and added up after that: the layout is never asked, for
 * a cell that is painted 20 times a second must not make the browser lay out the page.
 */
export class Ruler {
  private readonly common = new Float64Array(128);
  private readonly others = new Map<number, number>();

  /** `measure`: the width of one character, pixels; `digit_px`: of a digit, all of which are as wide as one another. */
  constructor(private readonly measure: (character: string) => number, readonly digit_px: number) {
    for (let digit = 0; digit <= 9; digit += 1) this.common[48 + digit] = digit_px;
  }

  /** Pixels that `text` takes. Pairs of letters that stand closer together than each by itself are not reckoned with. */
  width(text: string): number {
    let sum = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      sum += (code < 128 ? this.common[code] : this.others.get(code)) || this.learn(code);
    }
    return sum;
  }

  private learn(code: number): number {
    const width = this.measure(String.fromCharCode(code));
    if (code < 128) this.common[code] = width;
    else this.others.set(code, width);
    return width;
  }
}

/** The fonts of the cells: of what they say, of a price, of what is said beside it, and of the titles. */
export interface Rulers {
  main: Ruler;
  bold: Ruler;
  beside: Ruler;
  head: Ruler;
}

const TEN = "0000000000";

/** Measured rulers, by what their fonts depend on: the table has those of the rows that stood in its place. */
const measured = new Map<string, Rulers>();

/** The rulers of the cells that stand in `root`, which is in the document. `head_px`: the size of the titles' font. */
export function rulersOf(root: HTMLElement, head_px: number): Rulers {
  const key = [root.dataset.layout, head_px, devicePixelRatio, document.documentElement.lang].join(" ");
  const rulers = measured.get(key) ?? measure(root, head_px);
  measured.set(key, rulers);
  return rulers;
}

/** Digits are measured in the document: a canvas knows nothing of digits that are all as wide as one another. */
function measure(root: HTMLElement, head_px: number): Rulers {
  const probe = document.createElement("div");
  probe.className = "probe";
  const [number, price] = [document.createElement("div"), document.createElement("div")];
  number.className = "cell number";
  price.className = "cell price";
  const main = span(number, "main"), bold = span(price, "value"), beside = span(price, "move");
  probe.append(number, price);
  root.append(probe);
  const rulers = { main: rulerOf(main), bold: rulerOf(bold), beside: rulerOf(beside), head: rulerOf(main, `500 ${head_px}px`) };
  probe.remove();
  return rulers;
}

function span(root: HTMLElement, className: string): HTMLSpanElement {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = TEN;
  root.append(element);
  return element;
}

function rulerOf(element: HTMLElement, font?: string): Ruler {
  const { fontFamily, fontSize, fontWeight } = getComputedStyle(element);
  const pen = document.createElement("canvas").getContext("2d");
  const size_px = parseFloat(font?.split(" ")[1] ?? fontSize);
  if (!pen) return new Ruler(() => WIDEST_EM * size_px, WIDEST_EM * size_px); // a browser that hides canvases from pages: too wide is no harm
  pen.font = `${font ?? `${fontWeight} ${fontSize}`} ${fontFamily}`;
  const letters = document.createRange();
  letters.selectNodeContents(element);
  const ten_px = font ? pen.measureText(TEN).width : letters.getBoundingClientRect().width;
  return new Ruler((character) => pen.measureText(character).width, ten_px / TEN.length);
}
