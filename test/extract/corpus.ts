/** Seeded generators of records and of hostile JSON text. */

export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  /** 0 <= x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const words = ["a", "b", "c", "user", "id", "a.b", "b.c", "a.b.c", "network", "client", "ip", "x-y", "é", "name", "long_key_of_more_than_sixteen_bytes",
  "kubectl.kubernetes.io/last-applied-configuration-of-an-object-with-a-very-long-name", "", "_0", "tags", "message"];
const plain = ["", "a", "user17", "GET /index.html", "10.1.2.3", "ünïcödé ✓ 😀", "x".repeat(15), "y".repeat(31), "z".repeat(32), "w".repeat(33), "q".repeat(100), "null", "true", "[", "{\"a\":1}", "]}", ","];
const escaped = ['\\"', "\\\\", "\\/", "\\b\\f\\n\\r\\t", "\\u0041", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\\ude00\\ud83d", "\\u0000", "\\uD83Dx", "\\ud83d\\u0041", "\\\\u0041", "\\\\\\\""];
const numbers = ["0", "-0", "1", "-1", "12345", "999999999999999", "9007199254740993", "1234567890123456789", "-123456789012345678901234567890", "0.1", "1.5", "-2.25", "1.10", "100.0", "0.000001",
  "0.0000001", "1e5", "1E+5", "1e-7", "12e400", "-1e-400", "0.30000000000000004", "123456789.123456", "1234567890.1234567", "0e0", "-0.0", "1763683200000", "0.10", "5e-324"];
const wrongNumbers = ["01", "-", "1.", ".5", "1e", "1e+", "+1", "0x1", "1.e5", "--1", "00", "-01", "1.5.5", "NaN", "Infinity", "1_0"];
const wrongText = ["\\x", "\\u12g4", "\\u12", "\\", "\u0001", "\t", "\u001f"];

export interface Shape {
  /** Chance that something which is not JSON is written somewhere. */
  readonly wrong: number;
  readonly escapes: number;
  readonly duplicates: number;
  readonly blanks: number;
  readonly keys: readonly string[];
}

export const shapes: Record<string, Shape> = {
  tidy: { wrong: 0, escapes: 0.05, duplicates: 0, blanks: 0, keys: words },
  wild: { wrong: 0.01, escapes: 0.2, duplicates: 0.2, blanks: 0.3, keys: words },
  twins: { wrong: 0, escapes: 0.05, duplicates: 0.5, blanks: 0, keys: ["a", "b", "c", "a.b", "b.c"] },
};

/** Text of one JSON value, or of something that nearly is one. */
export class TextMaker {
  readonly random: Random;
  readonly shape: Shape;
  constructor(seed: number, shape: Shape) {
    this.random = new Random(seed);
    this.shape = shape;
  }
  blank(): string {
    return this.random.chance(this.shape.blanks) ? this.random.pick([" ", "\t", "\r", "  ", "   \t "]) : "";
  }
  string(): string {
    const { random, shape } = this;
    let text = random.pick(plain).replaceAll('"', '\\"');
    while (random.chance(shape.escapes)) text += random.pick(escaped) + random.pick(plain).replaceAll('"', '\\"');
    if (random.chance(shape.wrong)) text += random.pick(wrongText);
    return `"${text}"`;
  }
  key(): string {
    const { random, shape } = this;
    const key = random.pick(shape.keys);
    if (key !== "" && random.chance(shape.escapes / 4)) {
      const at = random.below(key.length);
      return `"${key.slice(0, at)}\\u${key.charCodeAt(at).toString(16).padStart(4, "0")}${key.slice(at + 1)}"`;
    }
    return `"${key}"`;
  }
  scalar(): string {
    const { random, shape } = this;
    if (random.chance(shape.wrong)) return random.pick([...wrongNumbers, "nul", "tru", "False", "undefined", "'a'", ""]);
    const n = random.below(10);
    if (n < 5) return this.string();
    if (n < 8) return random.pick(numbers);
    return random.pick(["true", "false", "null"]);
  }
  object(depth: number): string {
    const { random, shape } = this;
    const used: string[] = [];
    let text = "{";
    const count = random.below(6);
    for (let i = 0; i < count; i++) {
      let key = this.key();
      if (used.length > 0 && random.chance(shape.duplicates)) key = random.pick(used);
      used.push(key);
      text += `${i ? this.blank() + (random.chance(shape.wrong) ? random.pick(["", ",,", ";"]) : ",") : ""}${this.blank()}${key}${this.blank()}${random.chance(shape.wrong) ? "" : ":"}${this.blank()}${this.value(depth)}`;
    }
    return `${text}${this.blank()}${random.chance(shape.wrong) ? random.pick(["]", ",}", ""]) : "}"}`;
  }
  array(depth: number): string {
    const { random, shape } = this;
    let text = "[";
    const count = random.below(4);
    for (let i = 0; i < count; i++) text += `${i ? `${this.blank()},` : ""}${this.blank()}${this.value(depth)}`;
    return `${text}${this.blank()}${random.chance(shape.wrong) ? random.pick(["}", ",]", ""]) : "]"}`;
  }
  value(depth: number): string {
    const n = this.random.next();
    if (depth < 5 && n < 0.28) return this.object(depth + 1);
    if (depth < 5 && n < 0.42) return this.array(depth + 1);
    return this.scalar();
  }
  /** A line: mostly one object, sometimes something else. */
  line(): string {
    const { random, shape } = this;
    const text = `${this.blank()}${random.chance(shape.wrong * 3) ? this.value(0) : this.object(0)}${this.blank()}`;
    return random.chance(shape.wrong) ? text + random.pick(["x", "}", ",", "]", "1", "null"]) : text;
  }
}
