import { wordsOf } from "../query/fold.ts";
import { valueMatches } from "../query/matches.ts";
import type { Field } from "../query/tree.ts";
import type { Deadline } from "./deadline.ts";
import { Codes } from "./growing.ts";
import { TEXT, Texts } from "./texts.ts";
import { WordFinder, type WordTest } from "./word-finder.ts";
import { WordLines } from "./word-lines.ts";

const message: Field = { kind: "reserved", name: "message" };

/**
 * Distinct messages of signals: they are playbooks of which few lines differ, so each line is kept once and a message is the codes
 * of its lines.
 */
export class LineTexts {
  readonly #lines = new Texts();
  readonly #finder = new WordFinder(this.#lines, new WordLines());
  /** As bytes: four for each line. */
  readonly #messages = new Texts();
  /** By line: the first message that has it, and the last. */
  readonly #firsts = new Codes();
  readonly #lasts = new Codes();
  #scratch = new Uint32Array(64);

  get count(): number {
    return this.#messages.count;
  }

  /** @param isNew called for each line that was not known before. */
  add(text: string, isNew?: (line: string, code: number) => void): number {
    const lines = this.#coded(text, isNew);
    const known = this.#messages.count;
    const code = this.#messages.addBytes(lines, TEXT);
    if (code > known) {
      for (let i = 0; i < lines.length >>> 2; i++) {
        const line = this.#scratch[i]!;
        if (line >= this.#firsts.length) {
          this.#firsts.pad(line);
          this.#firsts.push(code);
          this.#lasts.pad(line);
          this.#lasts.push(code);
        } else this.#lasts.set(line, code);
      }
    }
    return code;
  }

  text(code: number): string {
    const { bytes, starts } = this.#messages.raw;
    const lines: string[] = [];
    for (let at = starts[code]!; at < starts[code + 1]!; at += 4) lines.push(this.#lines.text(bytes.readUInt32LE(at)));
    return lines.join("\n");
  }

  /** Sets what is in `hits`, by code, for messages that pass. */
  find(wanted: WordTest, hits: Uint8Array, deadline: Deadline): void {
    const lineHits = new Uint8Array(this.#lines.count + 1);
    if (wanted.kind !== "whole") {
      this.#finder.find(wanted, lineHits, deadline);
      this.withLines(lineHits, hits);
      if (wanted.kind === "sequence" && wanted.words.length > 1) this.#acrossLines(wanted, hits, deadline);
      return;
    }
    // The pattern may reach over several lines: those that hold its longest run only say where to look.
    const candidates = new Uint8Array(this.count + 1);
    if (wanted.longest.length === 0) candidates.fill(1);
    else {
      this.#finder.holding(wanted.longest, lineHits);
      this.withLines(lineHits, candidates);
    }
    this.#ask(wanted, candidates, hits, deadline);
  }

  get lineCount(): number {
    return this.#lines.count;
  }

  /** Words in lower case, made before somebody waits for them. */
  prepare(): void {
    this.#finder.prepare();
  }

  /** Gives back what was kept for growing. */
  trim(): void {
    this.#lines.trim();
    this.#messages.trim();
    this.#firsts.trim();
    this.#lasts.trim();
  }

  get bytes(): number {
    return this.#lines.bytes + this.#finder.bytes + this.#messages.bytes + this.#firsts.bytes + this.#lasts.bytes;
  }

  /** A sequence that begins in one line and ends in a later one: only where a line ends with how it begins. */
  #acrossLines(wanted: Extract<WordTest, { kind: "sequence" }>, hits: Uint8Array, deadline: Deadline): void {
    const { words } = wanted;
    const lines = new Uint8Array(this.#lines.count + 1);
    const tails = wanted.bytes.slice(0, -1);
    this.#finder.eachEndingWith(tails, (line) => {
      deadline.tick();
      const found = wordsOf(this.#lines.text(line));
      if (words.some((_, i) => i > 0 && i <= found.length && words.slice(0, i).every((word, k) => found[found.length - i + k] === word))) lines[line] = 1;
    });
    if (!lines.includes(1)) return;
    const candidates = new Uint8Array(this.count + 1);
    this.withLines(lines, candidates);
    this.#ask(wanted, candidates, hits, deadline);
  }

  #ask(wanted: WordTest, candidates: Uint8Array, hits: Uint8Array, deadline: Deadline): void {
    for (let code = 1; code <= this.count; code++) {
      if (candidates[code] !== 1 || hits[code] === 1) continue;
      deadline.tick();
      if (valueMatches(message, wanted.test, this.text(code))) hits[code] = 1;
    }
  }

  /** Sets what is in `hits`, by code, for messages with a line that is in `lineHits`. */
  withLines(lineHits: Uint8Array, hits: Uint8Array): void {
    const [firsts, lasts] = [this.#firsts.items, this.#lasts.items];
    let [first, last] = [this.count + 1, 0];
    // Most lines that differ at all are in one message alone.
    for (let line = lineHits.indexOf(1); line >= 0; line = lineHits.indexOf(1, line + 1)) {
      if (firsts[line] === lasts[line]) hits[firsts[line]!] = 1;
      else {
        first = Math.min(first, firsts[line]!);
        last = Math.max(last, lasts[line]!);
      }
    }
    if (last === 0) return;
    const { bytes, starts, used } = this.#messages.raw;
    const lines = new Uint32Array(bytes.buffer, bytes.byteOffset, used >>> 2);
    for (let code = first; code <= last; code++) {
      const end = starts[code + 1]! >>> 2;
      for (let at = starts[code]! >>> 2; at < end; at++) {
        if (lineHits[lines[at]!] === 1) {
          hits[code] = 1;
          break;
        }
      }
    }
  }

  #coded(text: string, isNew?: (line: string, code: number) => void): Uint8Array {
    let count = 0;
    for (let at = 0; at <= text.length; ) {
      const newline = text.indexOf("\n", at);
      const end = newline < 0 ? text.length : newline;
      if (count === this.#scratch.length) {
        const larger = new Uint32Array(count * 2);
        larger.set(this.#scratch);
        this.#scratch = larger;
      }
      const known = this.#lines.count;
      const line = text.slice(at, end);
      const code = (this.#scratch[count++] = this.#lines.add(line));
      if (this.#lines.count > known) isNew?.(line, code);
      at = end + 1;
    }
    return new Uint8Array(this.#scratch.buffer, 0, count * 4);
  }
}
