import type { Span } from "../problem.ts";

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "call"; readonly helper: Helper; readonly args: readonly string[]; readonly source: string }
  | { readonly kind: "block"; readonly test: BlockTest; readonly pieces: readonly Piece[] };

export type Helper = "eval" | "local_time" | "urlencode";

export interface BlockTest {
  readonly kind: "is_match" | "is_exact_match" | "if";
  readonly negated: boolean;
  readonly name: string;
  /** Any of them will do. */
  readonly wanted: readonly string[];
}

export type ParsedTemplate =
  | { readonly ok: true; readonly pieces: readonly Piece[] }
  | { readonly ok: false; readonly message: string; readonly at: Span };

const LENGTH_CAP = 64 * 1024;
const DEPTH_CAP = 32;
const ARGS = /"((?:[^"\\]|\\.)*)"|(\S+)/gs;
const arities: Readonly<Record<Helper, number>> = { eval: 1, local_time: 2, urlencode: 1 };

class Fault extends Error {
  readonly at: Span;
  constructor(message: string, start: number, end: number) {
    super(message);
    this.at = { start, end };
  }
}

/** Reads a message template: text, `{{variables}}`, helpers and blocks, and `{{{{raw}}}}` parts. Linear in its length. */
export function parseTemplate(text: string): ParsedTemplate {
  if (text.length > LENGTH_CAP) return { ok: false, message: `the template is longer than ${LENGTH_CAP} characters`, at: { start: LENGTH_CAP, end: text.length } };
  try {
    return { ok: true, pieces: new Parser(text).template() };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, message: error.message, at: error.at };
    throw error;
  }
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  template(): Piece[] {
    return this.#pieces(undefined, 0, 0);
  }

  /** Pieces up to the tag that closes the block opened at `openAt`, or to the end. */
  #pieces(closing: string | undefined, openAt: number, depth: number): Piece[] {
    if (depth > DEPTH_CAP) throw new Fault("blocks are nested too deep", openAt, openAt + 2);
    const pieces: Piece[] = [];
    for (;;) {
      const open = this.#text.indexOf("{{", this.#at);
      const text = this.#text.slice(this.#at, open < 0 ? this.#text.length : open);
      if (text !== "") pieces.push({ kind: "text", text });
      if (open < 0) {
        if (closing !== undefined) throw new Fault(`the block ${closing} is never closed`, openAt, openAt + 2);
        this.#at = this.#text.length;
        return pieces;
      }
      this.#at = open;
      if (this.#text.startsWith("{{{{", open)) pieces.push(this.#raw(open));
      else if (this.#text.startsWith("{{{", open)) {
        // A brace that stands before a variable is a brace.
        pieces.push({ kind: "text", text: "{" });
        this.#at++;
      } else {
        const tag = this.#tag(open);
        if (tag.startsWith("/")) {
          const name = tag.slice(1).trim();
          if (name === closing) return pieces;
          throw new Fault(closing === undefined ? `${name} is closed but was not opened` : `${name} is closed where ${closing} is open`, open, this.#at);
        }
        const piece = this.#piece(tag, open, depth);
        if (piece) pieces.push(piece);
      }
    }
  }

  #piece(tag: string, open: number, depth: number): Piece | undefined {
    if (tag.startsWith("!")) return undefined;
    if (tag.startsWith("#") || tag.startsWith("^")) {
      const test = this.#test(tag.slice(1), tag.startsWith("^"), open);
      return { kind: "block", test, pieces: this.#pieces(test.kind, open, depth + 1) };
    }
    const [name = "", ...args] = argumentsOf(tag);
    if (isHelper(name) && args.length) {
      if (args.length !== arities[name]) throw new Fault(`${name} takes ${arities[name]} arguments`, open, this.#at);
      return { kind: "call", helper: name, args, source: this.#text.slice(open, this.#at) };
    }
    return { kind: "variable", name: tag };
  }

  /** What stands between `{{` and the `}}` that is not inside quotes. */
  #tag(open: number): string {
    let inQuotes = false;
    for (let at = open + 2; at < this.#text.length; at++) {
      const character = this.#text[at];
      if (inQuotes && character === "\\") at++;
      else if (character === '"') inQuotes = !inQuotes;
      else if (!inQuotes && character === "}" && this.#text[at + 1] === "}") return this.#closeTag(open, at);
      else if (character === "\n" && inQuotes) break;
    }
    // A quote that is never closed cannot hide the end of its tag.
    const end = this.#text.indexOf("}}", open);
    if (end < 0) throw new Fault("this is never closed with }}", open, open + 2);
    return this.#closeTag(open, end);
  }

  #closeTag(open: number, end: number): string {
    this.#at = end + 2;
    return this.#text.slice(open + 2, end).trim();
  }

  #test(text: string, negated: boolean, open: number): BlockTest {
    const [kind = "", name = "", ...wanted] = argumentsOf(text);
    switch (kind) {
      case "if":
        if (name === "" || wanted.length) throw new Fault("if takes one name", open, this.#at);
        return { kind, negated, name, wanted };
      case "is_match":
      case "is_exact_match":
        if (name === "" || !wanted.length) throw new Fault(`${kind} takes a name and a text`, open, this.#at);
        return { kind, negated, name, wanted };
      default:
        throw new Fault(`${kind || "this"} is not a block known here`, open, this.#at);
    }
  }

  /** `{{{{raw}}}}text{{{{/raw}}}}`, or a test in four braces: the text between comes out as it is. */
  #raw(open: number): Piece {
    const end = this.#text.indexOf("}}}}", open);
    if (end < 0) throw new Fault("this is never closed with }}}}", open, open + 4);
    const tag = this.#text.slice(open + 4, end).trim();
    const name = tag.split(/\s/)[0]!.replace(/^[#^]/, "");
    const close = `{{{{/${name}}}}}`;
    const closeAt = this.#text.indexOf(close, end);
    if (closeAt < 0) throw new Fault(`${name} is never closed with ${close}`, open, end + 4);
    const text: Piece = { kind: "text", text: this.#text.slice(end + 4, closeAt) };
    const test = name === "raw" ? undefined : this.#test(tag.replace(/^[#^]/, ""), tag.startsWith("^"), open);
    this.#at = closeAt + close.length;
    return test ? { kind: "block", test, pieces: [text] } : text;
  }
}

function isHelper(name: string): name is Helper {
  return Object.hasOwn(arities, name);
}

function argumentsOf(text: string): string[] {
  return [...text.matchAll(ARGS)].map((match) => (match[1] === undefined ? match[2]! : match[1].replace(/\\(.)/gs, "$1")));
}
