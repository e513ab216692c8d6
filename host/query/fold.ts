const WORD_CHARACTER = /[\p{L}\p{M}\p{N}_]/u;
const FINAL_SIGMA = "\u03c2";
const SIGMA = "\u03c3";

/** Lower case, code point by code point; the final sigma folds to the sigma. The kernels' table is made by the same rule. */
export function foldCase(text: string): string {
  let out = "";
  for (const character of text) {
    const lower = character.toLowerCase();
    out += lower === FINAL_SIGMA ? SIGMA : lower;
  }
  return out;
}

export function isWordCharacter(character: string): boolean {
  return WORD_CHARACTER.test(character);
}

/** The words of a text, folded: maximal runs of letters, marks, digits and `_`. */
export function wordsOf(text: string): string[] {
  return foldCase(text).match(/[\p{L}\p{M}\p{N}_]+/gu) ?? [];
}
