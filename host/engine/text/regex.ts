/** 256 flags: which bytes are in. */
export type ByteSet = readonly boolean[];

/** A regular expression over bytes. */
export type RegexNode =
  | { readonly kind: "literal"; readonly bytes: readonly number[] }
  | { readonly kind: "set"; readonly set: ByteSet }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "repeat"; readonly part: RegexNode; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: "group"; readonly part: RegexNode; readonly number: number }
  | { readonly kind: "assert"; readonly what: "start" | "end" | "word" | "noWord" };

/** Something this reader leaves to RE2. */
export class UnsupportedPattern extends Error {}

const encoder = new TextEncoder();
const CODE_POINT_CAP = 128;
const REPEAT_CAP = 1000;

function setOf(test: (byte: number) => boolean): ByteSet {
  return Array.from({ length: 256 }, (_, byte) => test(byte));
}

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isWord = (c: number): boolean => isDigit(c) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95;
const isBlank = (c: number): boolean => c === 9 || c === 10 || c === 12 || c === 13 || c === 32;
const not = (test: (c: number) => boolean) => (c: number): boolean => !test(c);
const classes: Readonly<Record<string, (c: number) => boolean>> = {
  d: isDigit, D: not(isDigit), w: isWord, W: not(isWord), s: isBlank, S: not(isBlank),
};
const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7 };

/**
 * Reads RE2 syntax into a tree over bytes. Sets that reach beyond ASCII hold every byte of every such character:
 * who counts characters must count by what begins one.
 *
 * @throws UnsupportedPattern for what the tree cannot say.
 */
export function readRegex(text: string): RegexNode {
  const reader = new RegexReader(text);
  return reader.read();
}

/** The set that a part is, if it takes one character. */
function oneOf(part: RegexNode): ByteSet | undefined {
  if (part.kind === "set") return part.set;
  if (part.kind !== "literal" || part.bytes.length !== 1 || part.bytes[0]! >= 128) return undefined;
  return setOf((byte) => byte === part.bytes[0]);
}

class RegexReader {
  readonly #text: string;
  #at = 0;
  #groups = 0;
  #fold = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(): RegexNode {
    const node = this.#choice();
    if (this.#at < this.#text.length) this.#refuse("an unmatched )");
    return node;
  }

  #refuse(what: string): never {
    throw new UnsupportedPattern(`${what} at ${this.#at}`);
  }

  #choice(): RegexNode {
    const parts = [this.#sequence()];
    while (this.#text[this.#at] === "|") {
      this.#at++;
      parts.push(this.#sequence());
    }
    if (parts.length === 1) return parts[0]!;
    const sets = parts.map(oneOf);
    // `(?:.|\n)`, as a dot is written that takes line breaks too, is one set.
    if (sets.every((set) => set !== undefined)) return { kind: "set", set: setOf((byte) => sets.some((set) => set[byte])) };
    return { kind: "choice", parts };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    while (this.#at < this.#text.length && this.#text[this.#at] !== "|" && this.#text[this.#at] !== ")") {
      const part = this.#repeated(this.#atom());
      const last = parts.at(-1);
      if (part.kind === "literal" && last?.kind === "literal") parts[parts.length - 1] = { kind: "literal", bytes: [...last.bytes, ...part.bytes] };
      else if (!(part.kind === "literal" && part.bytes.length === 0)) parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
  }

  #repeated(part: RegexNode): RegexNode {
    const bounds = this.#bounds();
    if (!bounds) return part;
    const lazy = this.#text[this.#at] === "?";
    if (lazy) this.#at++;
    if (this.#text[this.#at] === "+" || this.#text[this.#at] === "*" || this.#text[this.#at] === "?") this.#refuse("a repetition of a repetition");
    return { kind: "repeat", part, ...bounds, lazy };
  }

  #bounds(): { min: number; max: number } | undefined {
    const c = this.#text[this.#at];
    if (c === "*" || c === "+" || c === "?") {
      this.#at++;
      return { min: c === "+" ? 1 : 0, max: c === "?" ? 1 : Number.POSITIVE_INFINITY };
    }
    const counted = c === "{" ? /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(this.#text.slice(this.#at, this.#at + 12)) : null;
    if (!counted) return undefined;
    this.#at += counted[0].length;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === undefined ? Number.POSITIVE_INFINITY : Number(counted[3]);
    if (min > REPEAT_CAP || (max > REPEAT_CAP && max !== Number.POSITIVE_INFINITY) || max < min) this.#refuse("bounds of a repetition");
    return { min, max };
  }

  #atom(): RegexNode {
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at)!);
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", set: this.#set() };
      case ".":
        this.#at++;
        return { kind: "set", set: setOf((c) => c !== 10) };
      case "^":
        this.#at++;
        return { kind: "assert", what: "start" };
      case "$":
        this.#at++;
        return { kind: "assert", what: "end" };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        return this.#refuse("a repetition of nothing");
      default:
        this.#at += character.length;
        return this.#literal(character);
    }
  }

  #literal(character: string): RegexNode {
    const lower = character.toLowerCase();
    const upper = character.toUpperCase();
    if (this.#fold && lower !== upper) {
      const codes = [lower.codePointAt(0)!, upper.codePointAt(0)!];
      if (codes.some((code) => code >= CODE_POINT_CAP)) this.#refuse("case folding beyond ASCII");
      // The Kelvin sign and the long s fold to k and s.
      if (lower === "k" || lower === "s") this.#refuse("case folding of k or s");
      return { kind: "set", set: setOf((c) => codes.includes(c)) };
    }
    return { kind: "literal", bytes: [...encoder.encode(character)] };
  }

  #escape(): RegexNode {
    const c = this.#text[this.#at + 1];
    if (c === undefined) return this.#refuse("a lone backslash");
    this.#at += 2;
    const named = classes[c];
    if (named) return { kind: "set", set: setOf(named) };
    if (c === "b") return { kind: "assert", what: "word" };
    if (c === "B") return { kind: "assert", what: "noWord" };
    if (c === "A") return { kind: "assert", what: "start" };
    if (c === "z") return { kind: "assert", what: "end" };
    const code = this.#escapedCode(c);
    return this.#literal(String.fromCodePoint(code));
  }

  /** Character of an escape whose letter has been read. */
  #escapedCode(c: string): number {
    const control = controls[c];
    if (control !== undefined) return control;
    if (c === "x") {
      const hex = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(this.#text.slice(this.#at, this.#at + 10));
      if (!hex) this.#refuse("an escape \\x");
      this.#at += hex[0].length;
      return Number.parseInt(hex[1] ?? hex[2]!, 16);
    }
    if (/[A-Za-z0-9]/.test(c)) this.#refuse(`the escape \\${c}`);
    return c.codePointAt(0)!;
  }

  #group(): RegexNode {
    this.#at++;
    const fold = this.#fold;
    let number: number | undefined;
    if (this.#text[this.#at] === "?") {
      const flags = /^\?(i?):|^\?i\)/.exec(this.#text.slice(this.#at, this.#at + 4));
      if (!flags) this.#refuse("a group of this kind");
      this.#at += flags[0].length;
      if (flags[0].includes("i")) this.#fold = true;
      // `(?i)` holds to the end of the group it stands in.
      if (flags[0].endsWith(")")) return { kind: "literal", bytes: [] };
    } else number = ++this.#groups;
    const part = this.#choice();
    if (this.#text[this.#at] !== ")") this.#refuse("an unclosed group");
    this.#at++;
    this.#fold = fold;
    return number === undefined ? part : { kind: "group", part, number };
  }

  #set(): ByteSet {
    this.#at++;
    const negated = this.#text[this.#at] === "^";
    if (negated) this.#at++;
    const set = new Array<boolean>(256).fill(false);
    for (let first = true; ; first = false) {
      const c = this.#text[this.#at];
      if (c === undefined) this.#refuse("an unclosed class");
      if (c === "]" && !first) break;
      if (c === "[" && this.#text[this.#at + 1] === ":") this.#refuse("a class by name");
      this.#setItem(set);
    }
    this.#at++;
    if (this.#fold) {
      for (let c = 65; c <= 90; c++) {
        if (set[c] !== set[c + 32]) {
          if (c === 75 || c === 83) this.#refuse("case folding of k or s");
          set[c] = set[c + 32] = true;
        }
      }
    }
    return negated ? set.map((isIn) => !isIn) : set;
  }

  #setItem(set: boolean[]): void {
    const from = this.#setCharacter(set);
    if (from === undefined) return;
    let to = from;
    if (this.#text[this.#at] === "-" && this.#text[this.#at + 1] !== "]" && this.#text[this.#at + 1] !== undefined) {
      this.#at++;
      const end = this.#setCharacter(set);
      if (end === undefined || end < from) this.#refuse("a range in a class");
      to = end;
    }
    if (to >= CODE_POINT_CAP) this.#refuse("a character beyond ASCII in a class");
    for (let c = from; c <= to; c++) set[c] = true;
  }

  /** One character of a class; undefined when it was a class itself, whose members are in now. */
  #setCharacter(set: boolean[]): number | undefined {
    const code = this.#text.codePointAt(this.#at)!;
    if (code !== 92) {
      this.#at += String.fromCodePoint(code).length;
      return code;
    }
    const c = this.#text[this.#at + 1];
    if (c === undefined) return this.#refuse("a lone backslash");
    this.#at += 2;
    const named = classes[c];
    if (!named) return this.#escapedCode(c);
    for (let byte = 0; byte < 256; byte++) if (named(byte)) set[byte] = true;
    return undefined;
  }
}
