const WORD_CHARACTER = /[\p{L}\p{M}\p{N}_]/u;

/** Lower case, code point by code point; the final sigma is a sigma. */
export function foldCase(text: string): string {
  let out = "";
  for (const character of text) out += character.toLowerCase() === "\u03c2" ? "\u03c3" : character.toLowerCase();
  return out;
}

export function isWordCharacter(character: string): boolean {
  return WORD_CHARACTER.test(character);
}

/** The words of a text: maximal runs of letters, marks, digits and `_`, lower-cased. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word = "";
  for (const character of foldCase(text)) {
    if (isWordCharacter(character)) word += character;
    else if (word !== "") {
      words.push(word);
      word = "";
    }
  }
  if (word !== "") words.push(word);
  return words;
}
