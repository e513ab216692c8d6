import { matchColumns } from "../../batch/matches.ts";
import type { EventFormat } from "../../event/event.ts";
import { sniff } from "../../event/sniff.ts";
import { parseQuery } from "../../query/parse.ts";
import type { QueryNode } from "../../query/tree.ts";
import { plainQueries } from "../../rule/standing.ts";
import { SLOT_BYTES, TASK_BYTES, plansStart, slotArea } from "../geometry.ts";
import { Instance } from "../instance.ts";
import type { Variant } from "../kernel.ts";
import type { PastedMatches, PastedQuestion, UnreadQuery } from "./contract.ts";
import { type Record, recordsOf } from "./records.ts";

/** For plans; an instance of a server reserves more, for all rules there are. */
const PLAN_BYTES = 96 * 1024 * 1024;
const PAGE_BYTES = 64 * 1024;
/** Of each record, as much as a row shows: the page has the whole text already. */
const SHOWN_CHARS = 1000;
const encoder = new TextEncoder();

/**
 * The kernels in a web page: the module that a server's threads run, over logs that never leave the browser.
 *
 * One memory for all questions, because a browser takes a while to give the room of another one back.
 */
export class PageKernel {
  readonly #module: WebAssembly.Module;
  readonly #variant: Variant;
  readonly #memory: WebAssembly.Memory;
  #last: Instance | undefined;

  /** @param module `vespid.simd.wasm`, or the scalar one where there is no SIMD. Throws where memory cannot be shared. */
  constructor(module: WebAssembly.Module, variant: Variant) {
    this.#module = module;
    this.#variant = variant;
    const pages = Math.ceil((plansStart(1) + PLAN_BYTES) / PAGE_BYTES);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  }

  /** Queries that cannot be read are left out, and told. */
  async match({ queries, text, arrivalMs }: Pick<PastedQuestion, "queries" | "text" | "arrivalMs">): Promise<PastedMatches> {
    const read = queries.map(readAll);
    const asked = read.flatMap((each, number) => ("part" in each ? [] : [{ node: each, number }]));
    const records = recordsOf(text);
    const matched = records.map((): number[] => []);
    const malformed = new Map<number, string>();
    const counts = queries.map(() => 0);
    const instance = await this.#instance(asked.map(({ node }) => node));
    const format = formatOf(records);
    for (const piece of piecesOf(records)) {
      if (piece.isTooLarge) malformed.set(piece.first, "too-large");
      else runPiece(instance, piece, { format, arrivalMs }, (at, standing) => {
        const { number } = asked[standing]!;
        // Of a record that holds several events it is enough that one matches.
        if (matched[at]!.includes(number)) return;
        matched[at]!.push(number);
        counts[number]!++;
      }, (at, reason) => malformed.set(at, reason));
    }
    return {
      variant: this.#variant,
      records: records.map(({ line, text: own }, i) => ({ line, text: own.length > SHOWN_CHARS ? own.slice(0, SHOWN_CHARS) : own, matched: matched[i]!, ...(malformed.has(i) ? { malformed: malformed.get(i)! } : {}) })),
      queries: read.map((each, i) => ("part" in each ? each : counts[i]!)),
    };
  }

  async #instance(nodes: readonly QueryNode[]): Promise<Instance> {
    // An instance counts on a memory of zeros; above the plans of the last one nothing was written.
    if (this.#last) new Uint8Array(this.#memory.buffer, 0, this.#last.arena.top).fill(0);
    return (this.#last = await Instance.create({ variant: this.#variant, standing: plainQueries(nodes), slots: 1, memory: this.#memory, module: this.#module }));
  }
}

interface Piece {
  /** Number of its first record. */
  readonly first: number;
  readonly bytes: Uint8Array;
  /** Where in `bytes` each record begins, ascending. */
  readonly starts: readonly number[];
  readonly isTooLarge: boolean;
}

/** As many records as a task takes. */
function* piecesOf(records: readonly Record[]): Generator<Piece> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const piece = (end: number, isTooLarge = false): Piece => {
    const bytes = new Uint8Array(size);
    const starts: number[] = [];
    let at = 0;
    for (const part of parts) {
      starts.push(at);
      bytes.set(part, at);
      at += part.length;
    }
    const made = { first: end - parts.length, bytes, starts, isTooLarge };
    parts = [];
    size = 0;
    return made;
  };
  for (const [i, { fed }] of records.entries()) {
    const part = encoder.encode(`${fed}\n`);
    const isTooLarge = part.length > SLOT_BYTES - 8;
    if (parts.length && (isTooLarge || size + part.length > TASK_BYTES)) yield piece(i);
    parts.push(part);
    size += part.length;
    if (isTooLarge) yield piece(i + 1, true);
  }
  if (parts.length) yield piece(records.length);
}

function runPiece(instance: Instance, { first, bytes, starts }: Piece, { format, arrivalMs }: { readonly format: EventFormat; readonly arrivalMs: number }, onMatch: (record: number, standing: number) => void, onMalformed: (record: number, reason: string) => void): void {
  const area = slotArea(0);
  instance.arena.u8.set(bytes, area.start);
  const recordAt = (address: number): number => first + lastUpTo(starts, address - area.start);
  for (let done = 0; done < bytes.length; ) {
    const result = instance.run({ profile: { format }, slot: 0, start: area.start + done, length: bytes.length - done, arrivalMs });
    const { count, eventStart, standing } = matchColumns(instance.memory, area.results, result.matches, result.highMs);
    for (let i = 0; i < count; i++) onMatch(recordAt(eventStart[i]!), standing[i]!);
    for (const { start, reason } of result.malformed) onMalformed(recordAt(start), reason);
    done += result.consumed;
  }
}

/** Place of the last number that is not above a value. */
function lastUpTo(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** As a file of these records is read: events as the search shows them, or as the intake takes them. */
function formatOf(records: readonly Record[]): EventFormat {
  const first = records.find(({ text }) => text.startsWith("{"));
  const { format } = sniff(encoder.encode(first?.fed ?? ""));
  return format === "log" ? "log" : "intake";
}

/** What all texts of a query ask for together; one that is blank asks for nothing. */
function readAll(texts: readonly string[]): QueryNode | UnreadQuery {
  const nodes: QueryNode[] = [];
  for (const [part, text] of texts.entries()) {
    if (part > 0 && text.trim() === "") continue;
    const parsed = parseQuery(text);
    if (!parsed.ok) return { part, problem: parsed.problems[0]! };
    nodes.push(parsed.node);
  }
  return nodes.length === 1 ? nodes[0]! : { kind: "and", nodes, span: nodes[0]!.span };
}
