import { KIND_BOOLEAN, KIND_NUMBER, KIND_STRING } from "../../../assembly/layout.ts";
import type { Json } from "../../event/event.ts";
import { buildStep } from "../../event/pipeline/grok-filter.ts";
import { type LinearRegex, linearRegex } from "../../event/pipeline/linear-regex.ts";
import type { GrokFilter, GrokRule } from "../../event/pipeline/pipeline.ts";
import type { Scalar } from "../../query/values.ts";

/** What is made of a value; undefined when nothing is. Captures are texts whatever they say. */
export type TextFilter = (value: Scalar, arrivalMs: number) => Scalar | undefined;

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const NO_ROOM = 0xffffffffffffffffn;
const NO_MATCH = -1;
const KIND_SHIFT = 28;
const LENGTH_MASK = 0x0fffffff;

/**
 * What text programs leave to the host: texts with too many ways to try, and filters the kernel has no code for.
 * Programs and filters have numbers here, which the kernels' structs name.
 */
export class HostTexts {
  readonly #programs: Array<{ readonly patterns: readonly string[]; compiled?: LinearRegex[] }> = [];
  readonly #filters: TextFilter[] = [];
  /** When the bytes at hand came: dates without a year are read as of then. */
  arrivalMs = 0;
  /** Texts matched here since the start. */
  matched = 0;

  program(rules: ReadonlyArray<Pick<GrokRule, "regex">>): number {
    return this.#programs.push({ patterns: rules.map((rule) => rule.regex) }) - 1;
  }

  filter(filter: TextFilter): number {
    return this.#filters.push(filter) - 1;
  }

  /** Import `matchText`: number of the rule that matches, -1 for none; bounds of groups are written at `out`. */
  match(memory: WebAssembly.Memory, number: number, address: number, length: number, out: number): number {
    this.matched++;
    const program = this.#programs[number]!;
    program.compiled ??= program.patterns.map((pattern) => linearRegex(pattern));
    const text = textAt(memory, address, length);
    for (const [rule, pattern] of program.compiled.entries()) {
      const matcher = pattern.matcher(text);
      if (!matcher.matches()) continue;
      const bounds = new Uint32Array(memory.buffer, out >>> 0);
      for (let group = 1; group <= matcher.groupCount(); group++) {
        const start = matcher.start(group);
        bounds[group * 2] = start < 0 ? 0 : (address >>> 0) + Buffer.byteLength(text.slice(0, start));
        bounds[group * 2 + 1] = start < 0 ? 0 : (address >>> 0) + Buffer.byteLength(text.slice(0, matcher.end(group)));
      }
      return rule;
    }
    return NO_MATCH;
  }

  /**
   * Import `filterText`: a cell whose text was written at `out`, 0 for no value, all ones when `room` bytes do not hold it.
   * @param length of the value's text, and in the upper four bits its kind
   */
  filtered(memory: WebAssembly.Memory, number: number, address: number, length: number, out: number, room: number): bigint {
    const value = this.#filters[number]!(scalarOf(textAt(memory, address, length & LENGTH_MASK), length >>> KIND_SHIFT), this.arrivalMs);
    if (value === undefined) return 0n;
    const bytes = encoder.encode(String(value));
    if (bytes.length > room >>> 0) return NO_ROOM;
    new Uint8Array(memory.buffer).set(bytes, out >>> 0);
    const kind = typeof value === "number" ? KIND_NUMBER : typeof value === "boolean" ? KIND_BOOLEAN : KIND_STRING;
    return BigInt(out >>> 0) | (BigInt(bytes.length) << 32n) | (BigInt(kind) << 60n);
  }
}

function scalarOf(text: string, kind: number): Scalar {
  return kind === KIND_NUMBER ? Number(text) : kind === KIND_BOOLEAN ? text === "true" : text;
}

/** Filters of a grok capture, one after the other. */
export function valueChain(filters: readonly GrokFilter[]): (value: Json, arrivalMs: number) => Json | undefined {
  const steps = filters.map((filter) => {
    const step = buildStep(filter);
    if (typeof step !== "function") throw new Error(`grok filter ${filter.name}: ${step.message}`);
    return step;
  });
  return (first, arrivalMs) => {
    let value: Json | undefined = first;
    for (const step of steps) {
      if (value === undefined) return undefined;
      value = step(value, arrivalMs);
    }
    return value;
  };
}

/** The same, where they make a scalar. */
export function filterChain(filters: readonly GrokFilter[]): TextFilter {
  const chain = valueChain(filters);
  return (text, arrivalMs) => {
    const value = chain(text, arrivalMs);
    return value === null || typeof value === "object" ? undefined : value;
  };
}

/** TextDecoder refuses shared memory, so the bytes are copied first. */
function textAt(memory: WebAssembly.Memory, address: number, length: number): string {
  return decoder.decode(new Uint8Array(memory.buffer).slice(address >>> 0, (address >>> 0) + (length >>> 0)));
}
