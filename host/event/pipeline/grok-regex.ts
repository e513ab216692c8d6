/**
 * Regex text as users write it (Java's, Oniguruma's) written down in the few constructs every engine here has: literals,
 * \d \w \s \D \W \S \b, classes, `(?:`, `|`, `? * + {m,n}` and their lazy forms, `.`, `^`, `$`. Letter case and
 * dot-all flags are written out; look-arounds and back-references, which no linear engine has, are refused.
 */
export class RegexWriter {
  /** What has been written. */
  text = "";
  /** Counts of `{m,n}` together: engines write each one out. */
  repeats = 0;
  #flags: Flags = { ignoreCase: false, dotAll: false };
  readonly #outer: Flags[] = [];
  readonly #refuse: (message: string, hint: string) => void;

  constructor(refuse: (message: string, hint: string) => void) {
    this.#refuse = refuse;
  }

  /** How many groups are open. */
  get depth(): number {
    return this.#outer.length;
  }

  /** Opens `(` for a capture or `(?:`. */
  open(text: "(" | "(?:"): void {
    this.#outer.push(this.#flags);
    this.text += text;
  }

  close(): void {
    this.#flags = this.#outer.pop() ?? this.#flags;
    this.text += ")";
  }

  /** Takes the pattern from `start` to `end`; returns where it stopped. */
  copy(pattern: string, start: number, end: number): void {
    let at = start;
    while (at < end) at = this.#piece(pattern, at, end);
  }

  #piece(pattern: string, at: number, end: number): number {
    const character = pattern[at]!;
    switch (character) {
      case "\\":
        return this.#escape(pattern, at, end);
      case "[":
        return this.#class(pattern, at, end);
      case "(":
        return this.#group(pattern, at, end);
      case ")":
        if (this.depth === 0) {
          this.#refuse("a ) closes nothing", "open the group, or escape it as \\)");
          return at + 1;
        }
        this.close();
        return at + 1;
      case ".":
        this.text += this.#flags.dotAll ? "(?:.|\\n)" : ".";
        return at + 1;
      case "*": case "+": case "?":
        return this.#quantifier(pattern, at, at + 1, end, character);
      case "{": {
        COUNT.lastIndex = at;
        const count = COUNT.exec(pattern)?.[0];
        if (count === undefined || at + count.length > end) {
          this.text += "\\{";
          return at + 1;
        }
        this.repeats += Math.max(...count.slice(1, -1).split(",").map(Number));
        return this.#quantifier(pattern, at, at + count.length, end, count);
      }
      case "|": case "^": case "$":
        this.text += character;
        return at + 1;
      default: {
        const whole = String.fromCodePoint(pattern.codePointAt(at)!);
        this.#literal(whole);
        return at + whole.length;
      }
    }
  }

  #literal(character: string): void {
    if (this.#flags.ignoreCase && LETTER.test(character)) this.text += `[${character.toLowerCase()}${character.toUpperCase()}]`;
    else this.text += literal(character);
  }

  #quantifier(pattern: string, at: number, next: number, end: number, text: string): number {
    this.text += text;
    const follows = next < end ? pattern[next] : undefined;
    if (follows === "?") {
      this.text += "?";
      return next + 1;
    }
    if (follows === "+") {
      this.#refuse(`${pattern.slice(at, next + 1)} is a possessive quantifier, which no engine without backtracking has`, `write ${pattern.slice(at, next)}`);
      return next + 1;
    }
    return next;
  }

  #escape(pattern: string, at: number, end: number): number {
    const character = at + 1 < end ? pattern[at + 1]! : "";
    if ("dDwWsSb".includes(character) && character !== "") {
      this.text += `\\${character}`;
      return at + 2;
    }
    if (character === "A") this.text += "^";
    else if (character === "z" || character === "Z") this.text += "$";
    else if (character === "h") this.text += "[ \\t]";
    else if (character === "Q") {
      const close = pattern.indexOf("\\E", at + 2);
      const stop = close < 0 || close > end ? end : close;
      for (const each of pattern.slice(at + 2, stop)) this.#literal(each);
      return stop === end ? end : stop + 2;
    } else {
      const read = this.#escapedCharacter(pattern, at, end);
      if (read.character !== undefined) this.#literal(read.character);
      return read.next;
    }
    return at + 2;
  }

  /** The one character an escape stands for. */
  #escapedCharacter(pattern: string, at: number, end: number): { readonly character: string | undefined; readonly next: number } {
    const character = at + 1 < end ? String.fromCodePoint(pattern.codePointAt(at + 1)!) : "";
    const control = CONTROLS[character];
    if (control !== undefined) return { character: control, next: at + 2 };
    HEX.lastIndex = at;
    const hex = HEX.exec(pattern);
    const code = hex ? Number.parseInt(hex[1] ?? hex[2]!, 16) : 0;
    if (hex && at + hex[0].length <= end && code <= 0x10ffff) return { character: String.fromCodePoint(code), next: at + hex[0].length };
    if (character === "") this.#refuse("the pattern ends in a single \\", "write \\\\ for a backslash");
    else if (/[1-9k]/.test(character)) this.#refuse(`\\${character} refers back to a group`, "spell out what may stand there: a pattern without backtracking cannot refer back");
    else if (/[A-Za-z0]/.test(character)) this.#refuse(`\\${character} is not known here`, "use \\d \\w \\s \\D \\W \\S \\b, \\t \\n \\r, \\xHH, or a class in brackets");
    else return { character, next: at + 1 + character.length };
    return { character: undefined, next: Math.min(end, at + 2) };
  }

  #group(pattern: string, at: number, end: number): number {
    if (pattern[at + 1] !== "?" || at + 1 >= end) {
      this.open("(?:");
      return at + 1;
    }
    GROUP.lastIndex = at;
    const head = GROUP.exec(pattern);
    // An atomic group only forbids going back, so without backtracking it is a plain one.
    if (head) {
      this.open("(?:");
      return at + head[0].length;
    }
    LOOK.lastIndex = at;
    const look = LOOK.exec(pattern);
    if (look) {
      this.#refuse(`${look[0]} looks around, which no engine without backtracking can`, "match the text itself instead of looking at it");
      this.open("(?:");
      return at + look[0].length;
    }
    FLAGS.lastIndex = at;
    const flags = FLAGS.exec(pattern);
    if (!flags || at + flags[0].length > end) {
      this.#refuse(`${pattern.slice(at, at + 3)} is not known here`, "use (…), (?:…), (?i) or (?s)");
      this.open("(?:");
      return Math.min(end, at + 2);
    }
    const outer = this.#flags;
    if (flags[3] === ":") this.open("(?:");
    this.#flags = {
      ignoreCase: (outer.ignoreCase || flags[1]!.includes("i")) && !flags[2]?.includes("i"),
      dotAll: (outer.dotAll || flags[1]!.includes("s")) && !flags[2]?.includes("s"),
    };
    return at + flags[0].length;
  }

  #class(pattern: string, start: number, end: number): number {
    let at = start + 1;
    let out = "[";
    if (pattern[at] === "^") {
      out += "^";
      at++;
    }
    for (let isFirst = true; ; isFirst = false) {
      if (at >= end) {
        this.#refuse("a [ is not closed", "close the class with ], or escape the bracket as \\[");
        return end;
      }
      if (pattern[at] === "]" && !isFirst) break;
      if (pattern.startsWith("&&", at)) this.#refuse("&& takes classes across, which is not known here", "write the characters out");
      POSIX.lastIndex = at;
      const posix = POSIX.exec(pattern);
      const named = posix ? POSIX_CLASSES[posix[1]!] : undefined;
      if (posix && named !== undefined) {
        out += named;
        at += posix[0].length;
        continue;
      }
      if (pattern[at] === "\\" && "dDwWsSh".includes(pattern[at + 1] ?? "-")) {
        out += pattern[at + 1] === "h" ? " \\t" : pattern.slice(at, at + 2);
        at += 2;
        continue;
      }
      const low = this.#classCharacter(pattern, at, end);
      at = low.next;
      if (low.character === undefined) continue;
      if (pattern[at] === "-" && at + 1 < end && pattern[at + 1] !== "]" && !(pattern[at + 1] === "\\" && "dDwWsSh".includes(pattern[at + 2] ?? "-"))) {
        const high = this.#classCharacter(pattern, at + 1, end);
        at = high.next;
        if (high.character === undefined) continue;
        if (high.character.codePointAt(0)! < low.character.codePointAt(0)!) this.#refuse(`the range ${low.character}-${high.character} runs backwards`, "write the smaller character first");
        out += `${classLiteral(low.character)}-${classLiteral(high.character)}`;
        if (this.#flags.ignoreCase) out += otherCase(low.character, high.character);
      } else {
        out += classLiteral(low.character);
        if (this.#flags.ignoreCase) out += otherCase(low.character, low.character);
      }
    }
    this.text += `${out}]`;
    return at + 1;
  }

  #classCharacter(pattern: string, at: number, end: number): { readonly character: string | undefined; readonly next: number } {
    if (pattern[at] === "\\") return this.#escapedCharacter(pattern, at, end);
    const character = String.fromCodePoint(pattern.codePointAt(at)!);
    return { character, next: at + character.length };
  }
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

const LETTER = /^[A-Za-z]$/;
const COUNT = /\{\d{1,4}(?:,\d{0,4})?\}/y;
const HEX = /\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/y;
const GROUP = /\(\?(?::|>|P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/y;
const LOOK = /\(\?<?[=!]/y;
const FLAGS = /\(\?([is]*)(?:-([is]+))?([:)])/y;
const POSIX = /\[:(\w+):\]/y;
const CONTROLS: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", e: "\x1b" };
const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z", alpha: "A-Za-z", digit: "0-9", lower: "a-z", upper: "A-Z", xdigit: "0-9A-Fa-f", word: "\\w", space: "\\s",
  blank: " \\t", punct: "!-/:-@\\[-`{-~", print: " -~", graph: "!-~", cntrl: "\\x00-\\x1f\\x7f",
};

const WRITTEN: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f", "\v": "\\v" };

function hexed(character: string): string | undefined {
  const code = character.codePointAt(0)!;
  return WRITTEN[character] ?? (code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, "0")}` : undefined);
}

/** A character that stands for itself. */
export function literal(character: string): string {
  return hexed(character) ?? (/[\\.+*?()|[\]{}^$]/.test(character) ? `\\${character}` : character);
}

function classLiteral(character: string): string {
  return hexed(character) ?? (/[\\\]^[-]/.test(character) ? `\\${character}` : character);
}

/** The letters of a range in the other case. */
function otherCase(low: string, high: string): string {
  let out = "";
  for (const [first, last, shift] of [["a", "z", -32], ["A", "Z", 32]] as const) {
    const from = Math.max(low.codePointAt(0)!, first.charCodeAt(0));
    const to = Math.min(high.codePointAt(0)!, last.charCodeAt(0));
    if (from <= to) out += `${String.fromCharCode(from + shift)}-${String.fromCharCode(to + shift)}`;
  }
  return out;
}
