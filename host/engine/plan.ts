import * as layout from "../../assembly/layout.ts";
import type { QueryNode } from "../query/tree.ts";
import type { StandingQuery } from "../rule/standing.ts";
import { AddressScan } from "./addresses.ts";
import { ColumnPlan } from "./columns.ts";
import { Extraction } from "./extraction.ts";
import type { Kernel } from "./kernel.ts";
import { Matching } from "./matching/matching.ts";
import type { Arena } from "./memory.ts";
import { shapeOf, writeShapes } from "./shapes.ts";
import { SourcePlanner } from "./sources.ts";
import { DERIVED_EXTRAS, TAG_ARENA_BYTES, ownExtras, writeSteps } from "./steps.ts";
import type { InputProfile, MalformedRecord, ResultArea } from "./task.ts";

/** Inner batches of about this size stay in the second-level cache. */
const INNER_BYTES = 256 * 1024;
const NEWLINE = 10;
/** Columns more than one format derives rather than extracts. */
const encoder = new TextEncoder();

/** What a plan looks for: standing queries of rules, or plain queries (a match is then one record without a key). */
export interface PlanQueries {
  readonly standing: readonly StandingQuery[];
}

export interface PlanOutcome {
  consumed: number;
  events: number;
  highMs: number;
  withoutTime: number;
  readonly malformed: MalformedRecord[];
  full: boolean;
}

/** Standing queries compiled for one input profile, in one instance's memory. */
export class Plan {
  readonly matching: Matching;
  readonly columns: ColumnPlan;
  readonly #kernel: Kernel;
  readonly #arena: Arena;
  readonly #extraction: Extraction;
  readonly #matchStruct: number;
  readonly #emitStruct: number;
  readonly #pairs: number;
  readonly #steps: { address: number; count: number };
  readonly #derived: readonly number[];
  readonly #times: number;
  readonly #highs: number;
  readonly #timeDescriptor: number;
  readonly #tagArena: number;
  readonly #sharedTags: number;
  readonly #sharedTagsLength: number;
  readonly #addresses: AddressScan | undefined;

  constructor(kernel: Kernel, arena: Arena, profile: InputProfile, standing: readonly StandingQuery[]) {
    this.#kernel = kernel;
    this.#arena = arena;
    this.columns = new ColumnPlan();
    this.matching = new Matching(this.columns, standing);
    const shapes = standing.map((query) => shapeOf(query, this.columns));
    AddressScan.request(this.columns);
    const defaults = { source: profile.source, service: profile.service, host: profile.host };
    const sources = new SourcePlanner(profile.format, this.columns.keys.length, [], defaults).plan(this.columns);

    const columnTable = arena.alloc(sources.columnCount * layout.COLUMN_BYTES, 16);
    const cells = arena.alloc(sources.columnCount * layout.ROW_CAP * 8, 64);
    const descriptorOf = (column: number): number => columnTable + column * layout.COLUMN_BYTES;
    this.#extraction = new Extraction(arena, {
      columns: sources.raw.map(({ column, kind, path }) => ({ column, kind, path, dotted: true, fromMessage: profile.format !== "log" })),
      columnTable,
      cells,
      ...messageOption(profile, sources.messageColumn),
    });
    const extracted = new Set(sources.raw.map((raw) => raw.column));
    const derived: number[] = [];
    for (let column = 0; column < sources.columnCount; column++) {
      if (extracted.has(column)) continue;
      derived.push(descriptorOf(column));
      arena.u32[(descriptorOf(column) + layout.COLUMN_CELLS) >>> 2] = cells + column * layout.ROW_CAP * 8;
      ownExtras(arena, descriptorOf(column));
    }
    this.#derived = derived;
    this.#steps = writeSteps(arena, sources.steps, descriptorOf);
    this.#timeDescriptor = descriptorOf(sources.timeColumn);
    this.#times = arena.alloc(layout.ROW_CAP * 8, 64);
    this.#highs = arena.alloc(layout.ROW_CAP * 8, 64);
    this.#tagArena = arena.alloc(TAG_ARENA_BYTES + layout.READ_PAD, 64);
    const shared = encoder.encode((profile.tags ?? []).join(","));
    this.#sharedTags = arena.bytes(shared);
    this.#sharedTagsLength = shared.length;
    this.#addresses = AddressScan.create(kernel, arena, this.columns, descriptorOf, DERIVED_EXTRAS);
    this.#matchStruct = this.matching.write(arena, columnTable, this.#times, kernel);
    this.#pairs = arena.u32[(this.#matchStruct + layout.MATCH_PAIRS) >>> 2]!;
    this.#emitStruct = this.#writeEmit(writeShapes(arena, shapes), columnTable);
  }

  /** Reads whole records at [start, start + length) and appends their matches to the result arrays. */
  run(start: number, length: number, arrivalMs: number, results: ResultArea): PlanOutcome {
    this.#aim(results);
    this.#kernel.emitReset(this.#emitStruct);
    this.#extraction.beginInput();
    const outcome: PlanOutcome = { consumed: 0, events: 0, highMs: Number.NEGATIVE_INFINITY, withoutTime: 0, malformed: [], full: false };
    const end = start + length;
    let at = start;
    while (at < end && !outcome.full) {
      at = this.#inner(at, this.#innerEnd(at, end), arrivalMs, outcome);
    }
    outcome.consumed = at - start;
    return outcome;
  }

  get matches(): number {
    return this.#get(this.#emitStruct + layout.EMIT_COUNT);
  }

  get keysUsed(): number {
    return this.#get(this.#emitStruct + layout.EMIT_KEYS_USED);
  }

  get slowRows(): number {
    return this.#extraction.counters.parsed;
  }

  #innerEnd(at: number, end: number): number {
    if (end - at <= INNER_BYTES) return end;
    const u8 = this.#arena.u8;
    let q = at + INNER_BYTES;
    while (q > at && u8[q - 1] !== NEWLINE) q--;
    if (q > at) return q;
    q = at + INNER_BYTES;
    while (q < end && u8[q - 1] !== NEWLINE) q++;
    return q;
  }

  /** One inner batch from `at`; answers where the next begins. Halves itself until every area suffices. */
  #inner(at: number, end: number, arrivalMs: number, outcome: PlanOutcome): number {
    for (;;) {
      const rows = this.#kernel.extract(this.#extraction.struct, at, end);
      const consumed = this.#extraction.consumed;
      const fits = rows === 0 || this.#judge(rows, arrivalMs, outcome);
      if (fits) {
        for (const bad of this.#extraction.bad()) outcome.malformed.push({ reason: bad.reason, start: bad.start, length: bad.end - bad.start });
        outcome.events += rows;
        return at + consumed;
      }
      if (outcome.full && this.matches > 0) return at;
      outcome.full = false;
      if (rows === 1) {
        const first = this.#extraction.rowStart;
        const start = this.#get(first);
        outcome.malformed.push({ reason: "too-many-values", start, length: this.#get(this.#extraction.rowEnd) - start });
        outcome.events += 1;
        return at + consumed;
      }
      end = this.#get(this.#extraction.rowEnd + ((rows >> 1) - 1) * 4);
      // Up to and including the line's end.
      while (end < at + consumed && this.#arena.u8[end - 1] !== NEWLINE) end++;
    }
  }

  #judge(rows: number, arrivalMs: number, outcome: PlanOutcome): boolean {
    const kernel = this.#kernel;
    for (const descriptor of this.#derived) kernel.clearColumn(descriptor, rows);
    kernel.tagArena(this.#tagArena, this.#tagArena + TAG_ARENA_BYTES);
    if (!kernel.derive(this.#steps.address, this.#steps.count, rows, this.#sharedTags, this.#sharedTagsLength)) return false;
    const missing = kernel.deriveTimes(this.#timeDescriptor, rows, arrivalMs, this.#times, this.#highs, outcome.highMs);
    if (this.#addresses && !this.#addresses.scan(rows)) return false;
    const pairs = kernel.match(this.#matchStruct, rows);
    if (pairs < 0) return false;
    this.#arena.u32[(this.#emitStruct + layout.EMIT_ROW_BASE) >>> 2] = outcome.events;
    if (pairs > 0 && !kernel.emit(this.#emitStruct, this.#pairs, pairs)) {
      outcome.full = true;
      return false;
    }
    outcome.withoutTime += missing;
    outcome.highMs = this.#arena.f64[(this.#highs + (rows - 1) * 8) >>> 3]!;
    return true;
  }

  #writeEmit(shapes: number, columnTable: number): number {
    const struct = this.#arena.alloc(layout.EMIT_BYTES, 16);
    const fields = [
      [layout.EMIT_SHAPES, shapes], [layout.EMIT_TIMES, this.#times], [layout.EMIT_HIGHS, this.#highs],
      [layout.EMIT_ROW_START, this.#extraction.rowStart], [layout.EMIT_ROW_END, this.#extraction.rowEnd], [layout.EMIT_COLUMNS, columnTable],
    ] as const;
    for (const [field, value] of fields) this.#arena.u32[(struct + field) >>> 2] = value;
    return struct;
  }

  /** Points the emit kernel at a slot's result arrays. */
  #aim(area: ResultArea): void {
    const fields = [
      [layout.EMIT_CAPACITY, area.capacity], [layout.EMIT_OUT_TIME, area.time], [layout.EMIT_OUT_HIGH, area.high],
      [layout.EMIT_OUT_KEY_HASH, area.keyHash], [layout.EMIT_OUT_VALUE, area.value], [layout.EMIT_OUT_STANDING, area.standing],
      [layout.EMIT_OUT_ROW, area.row], [layout.EMIT_OUT_KEY_START, area.keyStart], [layout.EMIT_OUT_KEY_LENGTH, area.keyLength],
      [layout.EMIT_OUT_EVENT_START, area.eventStart], [layout.EMIT_OUT_EVENT_LENGTH, area.eventLength],
      [layout.EMIT_KEYS, area.keys], [layout.EMIT_KEYS_END, area.keysEnd],
    ] as const;
    for (const [field, value] of fields) this.#arena.u32[(this.#emitStruct + field) >>> 2] = value;
  }

  #get(address: number): number {
    return this.#arena.u32[address >>> 2]!;
  }
}

function messageOption(profile: InputProfile, column: number | undefined): { message?: { column: number } } {
  return profile.format === "log" || column === undefined ? {} : { message: { column } };
}

export type { QueryNode };
