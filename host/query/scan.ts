import type { GlobItem } from "./tree.ts";

/** Blanks separate; the curly quotes count among them, because they never open a phrase. */
export function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t" || character === "\r" || character === "\n" || character === "\u201c" || character === "\u201d";
}

/** Ends a bare value: blank, parenthesis, end of text. */
export function isBoundary(character: string | undefined): boolean {
  return character === undefined || character === "(" || character === ")" || isBlank(character);
}

/** The code point that begins at `at`, as text. */
export function characterAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at)!);
}

const keywords: ReadonlyArray<readonly [string, "and" | "or" | "not"]> = [
  ["AND", "and"], ["&&", "and"], ["OR", "or"], ["||", "or"], ["NOT", "not"],
];

/** The operator word at `at`, when it stands as a word of its own. */
export function keywordAt(text: string, at: number): { readonly kind: "and" | "or" | "not"; readonly length: number } | undefined {
  for (const [word, kind] of keywords) {
    if (text.startsWith(word, at) && isBoundary(text[at + word.length])) return { kind, length: word.length };
  }
  return undefined;
}

/** Pieces of a bare word: literal text (unescaped) and wildcards, and where unescaped dots stood in it. */
export interface Word {
  readonly items: GlobItem[];
  /** The text with wildcards as written: what a message shows. */
  readonly text: string;
  /** Path segments, split at unescaped dots. */
  readonly segments: string[];
  readonly hasWildcard: boolean;
}

/** Builds a word character by character, keeping apart what was escaped and what was not. */
export class WordBuilder {
  readonly #items: GlobItem[] = [];
  readonly #segments: string[] = [];
  #literal = "";
  #segment = "";
  #text = "";
  #hasWildcard = false;

  get empty(): boolean {
    return this.#text === "";
  }

  literal(character: string, escaped: boolean): void {
    this.#literal += character;
    this.#text += character;
    if (character === "." && !escaped) {
      this.#segments.push(this.#segment);
      this.#segment = "";
    } else this.#segment += character;
  }

  wildcard(character: "*" | "?"): void {
    this.#closeLiteral();
    this.#items.push({ kind: character === "*" ? "any" : "one" });
    this.#text += character;
    this.#segment += character;
    this.#hasWildcard = true;
  }

  build(): Word {
    this.#closeLiteral();
    return { items: this.#items, text: this.#text, segments: [...this.#segments, this.#segment], hasWildcard: this.#hasWildcard };
  }

  #closeLiteral(): void {
    if (this.#literal !== "") this.#items.push({ kind: "text", text: this.#literal });
    this.#literal = "";
  }
}
