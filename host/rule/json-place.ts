export type Path = ReadonlyArray<string | number>;

/** Finds places in a text that is known to be JSON, without reading it into values. */
export class JsonPlaces {
  readonly #text: string;
  /** Offsets of a long list's elements, so that a thousand rules are walked over once. */
  readonly #elements = new Map<number, readonly number[]>();

  constructor(text: string) {
    this.#text = text;
  }

  /** Offset of the deepest value that exists along the path: a missing member is shown at the object that lacks it. */
  offset(path: Path): number {
    let at = this.#blanks(0);
    for (const key of path) {
      const next = typeof key === "number" ? this.#element(at, key) : this.#member(at, key);
      if (next === undefined) return at;
      at = next;
    }
    return at;
  }

  #element(at: number, index: number): number | undefined {
    if (this.#text[at] !== "[") return undefined;
    let offsets = this.#elements.get(at);
    if (!offsets) {
      const found: number[] = [];
      let next = this.#blanks(at + 1);
      while (this.#text[next] !== "]") {
        found.push(next);
        next = this.#blanks(this.#skip(next));
        if (this.#text[next] === ",") next = this.#blanks(next + 1);
      }
      offsets = found;
      this.#elements.set(at, offsets);
    }
    return offsets[index];
  }

  #member(at: number, name: string): number | undefined {
    if (this.#text[at] !== "{") return undefined;
    let found: number | undefined;
    let next = this.#blanks(at + 1);
    while (this.#text[next] !== "}") {
      const end = this.#skip(next);
      const key = JSON.parse(this.#text.slice(next, end)) as string;
      const value = this.#blanks(this.#blanks(end) + 1);
      // Of members with one name the last holds.
      if (key === name) found = value;
      next = this.#blanks(this.#skip(value));
      if (this.#text[next] === ",") next = this.#blanks(next + 1);
    }
    return found;
  }

  /** End of the value that begins here. */
  #skip(at: number): number {
    let depth = 0;
    for (let i = at; ; ) {
      const character = this.#text[i];
      if (character === '"') {
        i = this.#skipString(i);
        if (depth === 0) return i;
        continue;
      }
      if (character === "{" || character === "[") depth++;
      else if (character === "}" || character === "]") {
        if (depth === 0) return i;
        if (--depth === 0) return i + 1;
      } else if (depth === 0 && (character === undefined || character === "," || /\s/.test(character))) return i;
      i++;
    }
  }

  #skipString(at: number): number {
    for (let i = at + 1; ; i++) {
      const character = this.#text[i];
      if (character === "\\") i++;
      else if (character === '"' || character === undefined) return i + 1;
    }
  }

  #blanks(at: number): number {
    while (at < this.#text.length && " \t\r\n".includes(this.#text[at]!)) at++;
    return at;
  }
}

/** `cases[1].condition` as keys. */
export function placePath(place: string): Array<string | number> {
  return [...place.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map((match) => (match[2] === undefined ? match[1]! : Number(match[2])));
}
