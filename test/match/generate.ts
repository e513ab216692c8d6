import type { Json, LogEvent } from "../../host/event/event.ts";
import { parseCidrBlock } from "../../host/event/address.ts";
import type { Bound, CidrBlock, ComparisonOp, Field, GlobItem, QueryNode, Test } from "../../host/query/tree.ts";
import { type Scalar, scalarsBelow, valuesOf } from "../../host/query/values.ts";

const span = { start: 0, end: 0 };

/** Seeded events and queries that often, but not always, match each other. */
export class Generator {
  #state: number;
  /** Attributes that queries ask for. */
  paths: readonly string[][] = paths;

  constructor(seed: number) {
    this.#state = seed;
  }

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
    return list[this.below(list.length)]!;
  }

  word(): string {
    if (this.chance(0.7)) return this.pick(words);
    const letters = this.pick(alphabets);
    return Array.from({ length: 1 + this.below(this.chance(0.1) ? 40 : 9) }, () => this.pick(letters)).join("");
  }

  text(): string {
    if (this.chance(0.05)) return "";
    if (this.chance(0.05)) return "a".repeat(this.below(60)) + this.pick(["", "b", "ab"]);
    const count = this.chance(0.3) ? 1 : 1 + this.below(12);
    let text = this.chance(0.1) ? this.pick(separators) : "";
    for (let i = 0; i < count; i++) text += (i ? this.pick(separators) : "") + this.word();
    return this.chance(0.1) ? text + this.pick(separators) : text;
  }

  number(): number {
    return this.pick([0, -0, 1, 7, 42, 404, 500, -3, 0.5, 1e21, 1e-7, 1.5e300, 2 ** 53, 1234567890123456e1, 20e6, 3600e9, this.below(1000), this.next() * 100]);
  }

  scalar(): Json {
    const x = this.next();
    if (x < 0.55) return this.text();
    if (x < 0.75) return this.number();
    if (x < 0.82) return this.chance(0.5);
    if (x < 0.86) return null;
    if (x < 0.93) return this.pick(addresses);
    return this.pick(["7.0", "7", "404", "1e3", "-3", "+5", "0x10", ".5", "5.", "1e", "500 ", "0.1", "100000000000000000000001", "Infinity", "true", "null"]);
  }

  json(depth: number): Json {
    if (depth > 0 && this.chance(0.35)) {
      if (this.chance(0.5)) return Array.from({ length: this.below(4) }, () => this.json(depth - 1));
      return Object.fromEntries(Array.from({ length: this.below(4) }, () => [this.pick(keys), this.json(depth - 1)]));
    }
    return this.scalar();
  }

  event(): LogEvent {
    const event: LogEvent = {};
    if (this.chance(0.8)) event.message = this.text();
    for (const name of ["host", "service", "source", "status", "trace_id"] as const) if (this.chance(0.5)) event[name] = this.chance(0.7) ? this.word() : this.text();
    if (this.chance(0.6)) event.tags = Array.from({ length: this.below(5) }, () => (this.chance(0.7) ? `${this.pick(tagKeys)}:${this.word()}` : this.word()));
    if (this.chance(0.5)) event.timestamp = this.chance(0.5) ? 1_700_000_000_000 + this.below(1000) : new Date(1_700_000_000_000 + this.below(1000)).toISOString();
    const attributes: { [name: string]: Json } = {};
    for (let i = this.below(7); i > 0; i--) attributes[this.pick(keys)] = this.json(3);
    if (this.chance(0.1)) attributes.network = { ip: { list: this.pick([["10.0.0.1", "::1"], "2001:DB8::0:1"]) } };
    if (this.chance(0.9)) event.attributes = attributes;
    return event;
  }

  field(): Field {
    const x = this.next();
    if (x < 0.5) return { kind: "attribute", path: this.pick(this.paths) };
    if (x < 0.62) return { kind: "reserved", name: this.pick(["host", "service", "source", "status", "trace_id", "tags", "message", "timestamp"] as const) };
    if (x < 0.7) return { kind: "tag", key: this.pick(tagKeys) };
    if (x < 0.85) return { kind: "freeText" };
    if (x < 0.93) return { kind: "fullText" };
    if (x < 0.96) return { kind: "attribute", path: ["network", "ip", "list"] };
    if (x < 0.98) return { kind: "attribute", path: ["duration"] };
    return { kind: "calculated", name: "x" };
  }

  /** A text that some event of the sample may hold. */
  #heldText(field: Field, sample: readonly LogEvent[]): string {
    const values: Scalar[] = [];
    for (let i = 0; i < 6 && !values.length; i++) values.push(...valuesOf(field, this.pick(sample)));
    if (!values.length && this.chance(0.5)) values.push(...scalarsBelow(this.pick(sample).attributes));
    return values.length ? String(this.pick(values)) : this.text();
  }

  /** A slice of a text, by code points. */
  #slice(text: string): string {
    const characters = [...text];
    const start = this.chance(0.4) ? 0 : this.below(characters.length + 1);
    const rest = characters.length - start;
    return characters.slice(start, start + (this.chance(0.5) ? rest : this.below(rest + 1))).join("");
  }

  #changeCase(text: string): string {
    if (this.chance(0.6)) return text;
    return this.chance(0.5) ? text.toUpperCase() : text.toLowerCase();
  }

  #term(field: Field, sample: readonly LogEvent[]): string {
    const text = this.chance(0.85) ? this.#heldText(field, sample) : this.text();
    const wordBased = field.kind === "freeText" || field.kind === "fullText" || (field.kind === "reserved" && field.name === "message");
    return wordBased ? this.#changeCase(this.#slice(text)) : this.chance(0.9) ? text : this.#slice(text);
  }

  #glob(field: Field, sample: readonly LogEvent[]): GlobItem[] {
    const wordBased = field.kind === "freeText" || field.kind === "fullText" || (field.kind === "reserved" && field.name === "message");
    let text = this.#heldText(field, sample);
    if (wordBased) text = this.#changeCase(this.chance(0.6) ? this.pick(text.split(/[^\p{L}\p{M}\p{N}_]+/u)) : this.#slice(text));
    const characters = [...text].slice(0, 60);
    const items: GlobItem[] = [];
    let plain = "";
    const flush = (): void => {
      if (plain) items.push({ kind: "text", text: plain });
      plain = "";
    };
    const wild = this.pick([0.05, 0.15, 0.4]);
    if (this.chance(0.4)) items.push({ kind: "any" });
    for (let i = 0; i < characters.length; i++) {
      if (this.chance(wild)) {
        flush();
        if (this.chance(0.4)) items.push({ kind: "one" });
        else {
          items.push({ kind: "any" });
          i += this.below(4) - 1;
        }
      } else plain += this.chance(0.01) ? "x" : characters[i];
    }
    flush();
    if (this.chance(0.4) || !items.some((item) => item.kind !== "text")) items.push({ kind: "any" });
    return items;
  }

  #bound(field: Field, sample: readonly LogEvent[]): Bound {
    const quoted = this.chance(0.15);
    const x = this.next();
    let text = x < 0.5 ? String(this.number()) : x < 0.9 ? this.#heldText(field, sample) : this.pick(["20ms", "1h", "3s", "2.5d", "7", "Z", "a", "app"]);
    if (field.kind === "reserved" && field.name === "timestamp") text = this.pick(["1700000000500", "2023-11-14T22:13:20.250Z", "1700000000000", "nonsense"]);
    const number = !quoted && /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
    return number === undefined ? { text, quoted } : { text, quoted, number };
  }

  #test(field: Field, sample: readonly LogEvent[]): Test {
    const x = this.next();
    if (x < 0.1) return { kind: "exists" };
    if (x < 0.4) return { kind: this.chance(0.5) ? "equals" : "phrase", text: this.#term(field, sample) };
    if (x < 0.75) return { kind: "wildcard", items: this.#glob(field, sample) };
    if (x < 0.88) return { kind: "comparison", op: this.pick([">", ">=", "<", "<="] as ComparisonOp[]), bound: this.#bound(field, sample) };
    const range: { low?: Bound; high?: Bound } = {};
    if (this.chance(0.85)) range.low = this.#bound(field, sample);
    if (this.chance(0.85)) range.high = this.#bound(field, sample);
    return { kind: "range", ...range, includeLow: this.chance(0.5), includeHigh: this.chance(0.5) };
  }

  leaf(sample: readonly LogEvent[]): QueryNode {
    if (this.chance(0.06)) {
      const blocks = Array.from({ length: 1 + this.below(3) }, () => parseCidrBlock(this.pick(cidrs))).filter((block): block is CidrBlock => block !== undefined);
      const path = this.chance(0.4) ? ["network", "ip", "list"] : this.pick(this.paths);
      return { kind: "cidr", field: { kind: "attribute", path }, blocks, span };
    }
    let field = this.field();
    let test = this.#test(field, sample);
    // Ranges and comparisons need a field; the parser refuses them without.
    if ((test.kind === "comparison" || test.kind === "range") && (field.kind === "freeText" || field.kind === "fullText" || (field.kind === "reserved" && field.name === "message"))) {
      field = { kind: "attribute", path: this.pick(this.paths) };
      test = this.#test(field, sample);
    }
    return { kind: "leaf", field, test, span };
  }

  query(sample: readonly LogEvent[], depth = 3): QueryNode {
    const x = this.next();
    if (depth === 0 || x < 0.4) return this.leaf(sample);
    if (x < 0.43) return { kind: "all", span };
    if (x < 0.6) return { kind: "not", node: this.query(sample, depth - 1), span };
    const nodes = Array.from({ length: 1 + this.below(4) }, () => this.query(sample, depth - 1));
    return { kind: x < 0.8 ? "and" : "or", nodes, span };
  }
}

const words = [
  "error", "Error", "ERROR", "failed", "Failed", "password", "login", "GET", "POST", "a", "ab", "abc", "user", "user_login", "admin", "root", "404", "7", "10", "0",
  "kernel", "\u212Aernel", "Σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ", "İstanbul", "istanbul", "i\u0307stanbul", "straße", "STRASSE", "échec", "e\u0301chec", "日本語", "ログ", "😀", "𐐀𐐨", "naïve", "Ångström",
  "web-frontend-01", "us-east-1", "10.0.0.1", "/etc/shadow", "union%20select", "jndi:ldap", "x", "aaaaaaaaaaaa", "aaaaaaab", "ǅ", "ﬁle", "Ⅳ", "٣", "\u00b2", "ª",
];
const separators = [" ", " ", " ", " ", "-", ".", ",", ": ", "/", "\t", "\n", "", "=", "\u00a0", "\u3000", "—", "😀", "\u200d", "\0", "\"", "\\"];
const alphabets: readonly string[][] = [[..."ab"], [..."abcdefghijklmnopqrstuvwxyz"], [..."ABCDEFabcdef0123456789"], [..."éÉaAkK\u212a"], [..."ςσΣsS"], [..."aéß😀語-_ "]];
const keys = ["a", "b", "c", "a.b", "title", "error", "message", "stack", "duration", "usr", "id", "é"];
const tagKeys = ["env", "team", "version", "en"];
const paths: readonly string[][] = [["a"], ["b"], ["c"], ["a", "b"], ["a", "b", "c"], ["b", "a"], ["usr", "id"], ["usr"], ["title"], ["error", "message"], ["error"], ["id"], ["é"], ["a", "a"]];
const addresses = ["10.0.0.1", "10.0.0.10", "192.168.1.255", "::1", "2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "::ffff:10.0.0.1", "1.2.3.4.5", "01.2.3.4", "10.0.0.1:443", "fe80::1%eth0", "999.1.1.1", "1.2.3", "1::2::3"];
const cidrs = ["10.0.0.0/8", "10.0.0.1/32", "0.0.0.0/0", "192.168.1.0/24", "::/0", "2001:db8::/32", "::1/128", "::ffff:0:0/96", "10.0.0.0/31", "128.0.0.0/1"];
