import { parseAddress } from "../event/address.ts";
import { valueMatches } from "../query/matches.ts";
import type { Field, QueryNode, Test } from "../query/tree.ts";
import { isAddressList } from "../query/values.ts";
import { type Bits, allBits, andBits, noBits, notBits, orBits, setBit } from "./bits.ts";
import type { Column, Dictionary } from "./column.ts";
import type { Deadline } from "./deadline.ts";
import { columnsOf, keysTaken } from "./field-column.ts";
import type { LineTexts } from "./line-texts.ts";
import { type SignalIndex, type TextColumn, canonicalAddressOr, wholes } from "./signal-index.ts";
import type { Texts } from "./texts.ts";
import { findAddressesIn, findValues } from "./value-hits.ts";
import { type WordTest, wordTest } from "./word-finder.ts";

/** Answers of terms kept for the same term further on in a query, or in the next one. */
const MOST_KNOWN = 64;
const freeTextPaths = ["title", "error.message", "error.stack"] as const;

/** Queries over columns: each leaf is asked of distinct values, then of rows by their codes; the rest is done on bits. */
export class Evaluator {
  readonly #index: SignalIndex;
  readonly #deadline: Deadline;
  readonly #rows: number;
  readonly #known: Map<string, Bits>;

  /** @param known what terms found before, in the index as it is now. */
  constructor(index: SignalIndex, deadline: Deadline, known = new Map<string, Bits>()) {
    this.#index = index;
    this.#deadline = deadline;
    this.#rows = index.rows;
    this.#known = known;
  }

  /** Rows that match; dead ones may be among them. The answer is the caller's to change. */
  matching(node: QueryNode): Bits {
    switch (node.kind) {
      case "all":
        return allBits(this.#rows);
      case "and":
        return this.#joined(node.nodes, andBits);
      case "or":
        return this.#joined(node.nodes, orBits);
      case "not":
        return notBits(this.matching(node.node), this.#rows);
      case "leaf":
        return this.#once(JSON.stringify([node.field, node.test]), () => this.#leaf(node.field, node.test));
      case "cidr":
        return this.#once(JSON.stringify([node.field, node.blocks]), () => this.#cidr(node));
    }
  }

  /** One after the other: a query may have thousands of terms, and the bits of each take room. */
  #joined(nodes: readonly QueryNode[], join: (into: Bits, other: Bits) => Bits): Bits {
    let bits: Bits | undefined;
    for (const child of nodes) {
      const own = this.matching(child);
      bits = bits ? join(bits, own) : own;
    }
    return bits ?? allBits(this.#rows);
  }

  #once(key: string, work: () => Bits): Bits {
    const known = this.#known.get(key);
    if (known) return known.slice();
    this.#deadline.check();
    const bits = work();
    if (this.#known.size >= MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, bits.slice());
    return bits;
  }

  #leaf(field: Field, test: Test): Bits {
    const bits = noBits(this.#rows);
    // A range that is open on both sides asks whether there is a value.
    if (test.kind === "exists" || (test.kind === "range" && !test.low && !test.high)) this.#exists(field, bits);
    else if (field.kind === "reserved" && field.name === "timestamp") this.#times(field, test, bits);
    else if (isAddressList(field)) this.#addresses(field, test, bits);
    else if (field.kind === "reserved" && field.name === "tags") this.#tags(field, test, bits);
    else if (field.kind === "freeText" || field.kind === "fullText" || (field.kind === "reserved" && field.name === "message")) this.#words(field, test, bits);
    else for (const column of this.#columns(field)) this.#mark(column, bits, (hits) => findValues(column.dictionary, field, test, hits, this.#deadline));
    return bits;
  }

  #columns(field: Field): TextColumn[] {
    return columnsOf(this.#index, field);
  }

  #mark<D extends Dictionary>(column: Column<D>, bits: Bits, find: (hits: Uint8Array) => void): void {
    this.#deadline.check();
    const hits = new Uint8Array(column.dictionary.count + 1);
    find(hits);
    if (hits.includes(1)) column.mark(hits, bits);
  }

  #any(column: Column, bits: Bits): void {
    const hits = new Uint8Array(column.dictionary.count + 1).fill(1);
    hits[0] = 0;
    column.mark(hits, bits);
  }

  #exists(field: Field, bits: Bits): void {
    const index = this.#index;
    switch (field.kind) {
      case "attribute": {
        if (isAddressList(field)) {
          for (const column of this.#columns(field)) this.#any(column, bits);
          this.#byAddress(new Uint8Array(index.addresses.count + 1).fill(1, 1), bits);
          return;
        }
        // Also true of an object with a value somewhere below.
        for (const { path, column } of index.attributes) if (keysTaken(path, field.path) !== undefined) this.#any(column, bits);
        return;
      }
      case "reserved":
        if (field.name === "timestamp") orBits(bits, allBits(this.#rows));
        else if (field.name === "message") this.#any(index.message, bits);
        else if (field.name === "tags") for (const column of [...index.tags.values(), index.bareTags]) this.#any(column, bits);
        else for (const column of this.#columns(field)) this.#any(column, bits);
        return;
      case "freeText":
      case "fullText":
        this.#any(index.message, bits);
        for (const column of this.#wordColumns(field)) this.#any(column, bits);
        return;
      case "tag":
        for (const column of this.#columns(field)) this.#any(column, bits);
        return;
      case "calculated":
    }
  }

  #words(field: Field, test: Test, bits: Bits): void {
    const { message } = this.#index;
    if (test.kind === "comparison" || test.kind === "range") {
      // Asked of each message as a whole: rare, and as slow as it is.
      const compare = (dictionary: Texts | LineTexts) => (hits: Uint8Array): void => {
        for (let code = 1; code <= dictionary.count; code++) {
          this.#deadline.tick();
          hits[code] = Number(valueMatches(field, test, "value" in dictionary ? dictionary.value(code) : dictionary.text(code)));
        }
      };
      this.#mark(message, bits, compare(message.dictionary));
      for (const column of this.#wordColumns(field)) this.#mark(column, bits, compare(column.dictionary));
      return;
    }
    const wanted = wordTest(test);
    if (!wanted) return;
    this.#mark(message, bits, (hits) => message.dictionary.find(wanted, hits, this.#deadline));
    for (const column of this.#wordColumns(field)) this.#findWords(column, wanted, bits);
  }

  #findWords(column: TextColumn, wanted: WordTest, bits: Bits): void {
    this.#mark(column, bits, (hits) => this.#index.finder(column.dictionary).find(wanted, hits, this.#deadline));
  }

  /** Beside the message. */
  *#wordColumns(field: Field): Generator<TextColumn> {
    if (field.kind === "freeText") for (const path of freeTextPaths) yield* this.#columns({ kind: "attribute", path: path.split(".") });
    if (field.kind !== "fullText") return;
    for (const name of wholes) yield this.#index.reserved.get(name)!;
    for (const { column } of this.#index.attributes) yield column;
  }

  /** Whole tags: those of a key have it before their values. */
  #tags(field: Field, test: Test, bits: Bits): void {
    const { bareTags, tags } = this.#index;
    this.#mark(bareTags, bits, (hits) => findValues(bareTags.dictionary, field, test, hits, this.#deadline));
    for (const [key, column] of tags) {
      const texts = column.dictionary;
      if (test.kind === "equals" || test.kind === "phrase") {
        if (!test.text.startsWith(`${key}:`)) continue;
        const code = texts.find(test.text.slice(key.length + 1));
        if (code !== 0) this.#mark(column, bits, (hits) => void (hits[code] = 1));
        continue;
      }
      this.#mark(column, bits, (hits) => {
        for (let code = 1; code <= texts.count; code++) {
          this.#deadline.tick();
          hits[code] = Number(valueMatches(field, test, `${key}:${texts.text(code)}`));
        }
      });
    }
  }

  #times(field: Field, test: Test, bits: Bits): void {
    const { times } = this.#index;
    for (let row = 0; row < this.#rows; row++) {
      this.#deadline.tick();
      if (valueMatches(field, test, times[row]!)) setBit(bits, row);
    }
  }

  /** Addresses anywhere, and what stands in the attribute of that name. */
  #addresses(field: Field, test: Test, bits: Bits): void {
    const { addresses } = this.#index;
    const found = new Uint8Array(addresses.count + 1);
    if (test.kind === "equals" || test.kind === "phrase") {
      found[addresses.find(canonicalAddressOr(test.text))] = 1;
      found[0] = 0;
    } else findValues(addresses, field, test, found, this.#deadline);
    this.#byAddress(found, bits);
    for (const column of this.#columns(field)) {
      this.#mark(column, bits, (hits) => {
        for (let code = 1; code <= column.dictionary.count; code++) {
          const value = column.dictionary.value(code);
          const bytes = parseAddress(String(value));
          hits[code] = Number(valueMatches(field, test, bytes ? canonicalAddressOr(String(value)) : value));
        }
      });
    }
  }

  #byAddress(found: Uint8Array, bits: Bits): void {
    if (!found.includes(1)) return;
    const { message, reserved, tags, bareTags, attributes } = this.#index;
    const pairs = this.#index.addressesOf(message.dictionary);
    if (pairs) {
      const lines = new Uint8Array(message.dictionary.lineCount + 1);
      for (let i = 0; i < pairs.values.length; i++) if (found[pairs.addresses.items[i]!] === 1) lines[pairs.values.items[i]!] = 1;
      this.#mark(message, bits, (hits) => message.dictionary.withLines(lines, hits));
    }
    for (const column of [...reserved.values(), ...tags.values(), bareTags, ...attributes.map((each) => each.column)]) {
      const known = this.#index.addressesOf(column.dictionary);
      if (!known) continue;
      this.#mark(column, bits, (hits) => {
        for (let i = 0; i < known.values.length; i++) if (found[known.addresses.items[i]!] === 1) hits[known.values.items[i]!] = 1;
      });
    }
  }

  #cidr({ field, blocks }: Extract<QueryNode, { kind: "cidr" }>): Bits {
    const bits = noBits(this.#rows);
    if (isAddressList(field)) {
      const { addresses } = this.#index;
      const found = new Uint8Array(addresses.count + 1);
      findAddressesIn(addresses, blocks, found, this.#deadline);
      this.#byAddress(found, bits);
    }
    for (const column of this.#columns(field)) this.#mark(column, bits, (hits) => findAddressesIn(column.dictionary, blocks, hits, this.#deadline));
    return bits;
  }
}
