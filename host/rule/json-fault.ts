/** What keeps a text from being JSON. */
export interface JsonFault {
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

const DEPTH_CAP = 1000;
const BLANK = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])/y;
const WORD = /(?:true|false|null)(?!\w)/y;

class Found extends Error {
  readonly fault: JsonFault;
  constructor(fault: JsonFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Where a text that `JSON.parse` refused goes wrong, said so that it can be mended; undefined when nothing is wrong with it. */
export function jsonFault(text: string): JsonFault | undefined {
  try {
    const walker = new Walker(text);
    walker.value(0);
    walker.end();
    return undefined;
  } catch (error) {
    if (error instanceof Found) return error.fault;
    throw error;
  }
}

class Walker {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): void {
    this.#blanks();
    if (depth > DEPTH_CAP) this.#fail("values are nested too deep", "a rule needs a few levels only");
    const first = this.#text[this.#at];
    if (first === "{") this.#object(depth);
    else if (first === "[") this.#array(depth);
    else if (first === '"') this.#string();
    else if (!this.#take(NUMBER) && !this.#take(WORD)) this.#strange("a value");
  }

  end(): void {
    this.#blanks();
    if (this.#at < this.#text.length) this.#fail("something stands after the end of the value", "put several rules in a list [ ... ], or one a line in a .jsonl file");
  }

  #object(depth: number): void {
    const open = this.#at++;
    if (this.#closes("}")) return;
    for (;;) {
      this.#blanks();
      if (this.#text[this.#at] !== '"') {
        if (this.#text[this.#at] === "}") this.#fail("a comma stands before the closing brace", "take the comma out");
        this.#strange("a member's name", open);
      }
      this.#string();
      this.#blanks();
      if (this.#text[this.#at] !== ":") this.#strange('":"', open);
      this.#at++;
      this.value(depth + 1);
      if (this.#closes("}")) return;
      if (this.#text[this.#at] !== ",") this.#strange('"," or "}"', open);
      this.#at++;
    }
  }

  #array(depth: number): void {
    const open = this.#at++;
    if (this.#closes("]")) return;
    for (;;) {
      this.#blanks();
      if (this.#text[this.#at] === "]") this.#fail("a comma stands before the closing bracket", "take the comma out");
      this.value(depth + 1);
      if (this.#closes("]")) return;
      if (this.#text[this.#at] !== ",") this.#strange('"," or "]"', open);
      this.#at++;
    }
  }

  #closes(close: string): boolean {
    this.#blanks();
    if (this.#text[this.#at] !== close) return false;
    this.#at++;
    return true;
  }

  #string(): void {
    if (this.#take(STRING)) return;
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const character = this.#text[at]!;
      if (character === "\\") {
        if (!/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(this.#text.slice(at, at + 6))) {
          this.#at = at;
          this.#fail(`\\${this.#text[at + 1] ?? ""} is not an escape of JSON`, "write a backslash as \\\\");
        }
        at++;
      } else if (character < " ") {
        this.#at = character === "\n" || character === "\r" ? this.#at : at;
        this.#fail(character === "\n" || character === "\r" ? "this text does not end on its line" : "a control character stands in a text", 'close the quote, and write a line break as \\n');
      }
    }
    this.#fail("this text is never closed", 'add " at its end');
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #blanks(): void {
    this.#take(BLANK);
  }

  #strange(wanted: string, open?: number): never {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    if (rest === "") {
      if (open !== undefined) this.#at = open;
      this.#fail(open === undefined ? `the text ends where ${wanted} is missing` : "this is never closed", open === undefined ? "complete it" : `add the closing ${this.#text[open] === "{" ? "brace }" : "bracket ]"}`);
    }
    if (rest.startsWith("//") || rest.startsWith("/*") || rest.startsWith("#")) this.#fail("JSON has no comments", "take it out, or keep the rule as .yaml");
    if (rest.startsWith("'")) this.#fail("texts stand in double quotes", 'write "..."');
    if (/^[\w-]/.test(rest)) this.#fail(`${/^[\w.+-]+/.exec(rest)?.[0] ?? rest} stands where ${wanted} is expected`, wanted === '"," or "}"' || wanted === '"," or "]"' ? "a comma is missing before it" : "put it in double quotes");
    this.#fail(`${rest[0]} stands where ${wanted} is expected`, /^["[{]/.test(rest) ? "a comma is missing before it" : "mend the JSON here");
  }

  #fail(message: string, hint: string): never {
    throw new Found({ offset: this.#at, message, hint });
  }
}
