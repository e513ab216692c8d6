import * as layout from "../../assembly/layout.ts";
import { isTextFormat } from "../event/decode.ts";
import type { EventFormat } from "../event/event.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import type { StandingQuery } from "../rule/standing.ts";
import type { Enrichment } from "../event/enrichment/enrichment.ts";
import { AddressScan } from "./addresses.ts";
import { type ColumnKey, ColumnPlan } from "./columns.ts";
import { type BadRecord, Extraction, type ExtractionPlan } from "./extraction.ts";
import { IntelStep } from "./intel-step.ts";
import type { Kernel } from "./kernel.ts";
import { Matching } from "./matching/matching.ts";
import type { Arena } from "./memory.ts";
import { type Operation, Placement, UnsupportedPipeline } from "./pipelines/operation.ts";
import { PipelinePlanner } from "./pipelines/planner.ts";
import { idKeys, shapeOf, writeShapes } from "./shapes.ts";
import { type SourcePlan, SourcePlanner } from "./sources.ts";
import { DERIVED_EXTRAS, ExtrasAreas, type PlacedSteps, TAG_ARENA_BYTES, ownExtras, writeSteps } from "./steps.ts";
import type { InputProfile, MalformedRecord, ResultArea } from "./task.ts";
import type { HostTexts } from "./text/host-texts.ts";
import { LineCutter, LineReading, planText } from "./text/text-source.ts";

/** Inner batches of about this size stay in the second-level cache. */
const INNER_BYTES = 256 * 1024;
const NEWLINE = 10;
/** Room for the texts that filters make of one batch's captures. */
const TEXT_ARENA_BYTES = 2 << 20;

/** What a plan is compiled from. */
export interface PlanSetup {
  readonly format: EventFormat;
  /** That of every event, where the plan is for one; else each task's input says. */
  readonly source: string | undefined;
  readonly standing: readonly StandingQuery[];
  /** Those that may concern events of the input, in order. */
  readonly pipelines: readonly Pipeline[];
  /** What is looked up behind them. */
  readonly enrichment?: Enrichment;
  /** Which ids events may have been given, where they are asked for at all: `made` for envelopes whose id was laid at their top. */
  readonly ids?: "own" | "made";
}

/** Columns that values are added to one by one. */
const addedTo: ReadonlySet<string | undefined> = new Set<ColumnKey["kind"]>(["tags", "tag", "addresses"]);

/** Finds the records in bytes. */
interface RecordReader {
  read(start: number, end: number): number;
  begin(): void;
  bad(): BadRecord[];
  readonly consumed: number;
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly slowRows: number;
}

export interface PlanOutcome {
  consumed: number;
  events: number;
  highMs: number;
  withoutTime: number;
  clamped: number;
  readonly malformed: MalformedRecord[];
  full: boolean;
  /** The bytes hold what columns cannot be read from: events must be made of them first. */
  records: boolean;
}

/** When a task's bytes came, and the latest time that one of their events may claim. */
export interface Arrival {
  readonly arrivalMs: number;
  readonly latestMs: number;
}

/** Standing queries compiled for one format and its pipelines, in one instance's memory. */
export class Plan {
  readonly matching: Matching;
  readonly columns: ColumnPlan;
  readonly #kernel: Kernel;
  readonly #arena: Arena;
  readonly #reader: RecordReader;
  readonly #lines: LineReading | undefined;
  readonly #operations: readonly Operation[];
  readonly #odd: { isFound: boolean };
  readonly #textArena: number;
  readonly #matchStruct: number;
  readonly #emitStruct: number;
  readonly #pairs: number;
  readonly #steps: PlacedSteps;
  /** Address and number of the descriptors of columns that are not extracted. */
  readonly #derived: number;
  readonly #derivedCount: number;
  readonly #times: number;
  readonly #highs: number;
  readonly #timeDescriptor: number;
  readonly #tagArena: number;
  readonly #addresses: AddressScan | undefined;
  readonly #intel: IntelStep | undefined;
  readonly #ids: readonly number[];

  /** @throws UnsupportedPipeline when a pipeline does what columns cannot follow. */
  constructor(kernel: Kernel, arena: Arena, texts: HostTexts, { format, source, standing, pipelines, enrichment, ids }: PlanSetup) {
    this.#kernel = kernel;
    this.#arena = arena;
    this.columns = new ColumnPlan();
    this.matching = new Matching(this.columns, standing);
    const shapes = standing.map((query) => shapeOf(query, this.columns));
    this.#ids = ids ? idKeys(format, ids).map((key) => this.columns.column(key)) : [];
    AddressScan.request(this.columns);
    const isText = isTextFormat(format);
    const isPlain = !isText && pipelines.length === 0;
    const hasIntel = IntelStep.request(this.columns, enrichment?.intel, isPlain);
    if ((pipelines.length || isText) && this.columns.keys.some((key) => key.kind === "all")) throw new UnsupportedPipeline("a query on all attributes");
    const planned = new PipelinePlanner(this.columns, source === undefined ? {} : { source }).plan(pipelines);
    const text = isText ? planText(format as "text" | "syslog", this.columns) : undefined;
    const sources: SourcePlan = text ?? new SourcePlanner(format, this.columns.keys.length).plan(this.columns);

    const columnTable = arena.alloc(sources.columnCount * layout.COLUMN_BYTES, 16);
    const cells = arena.alloc(sources.columnCount * layout.ROW_CAP * 8, layout.ROW_CAP * 8);
    const descriptorOf = (column: number): number => columnTable + column * layout.COLUMN_BYTES;
    this.#times = arena.alloc(layout.ROW_CAP * 8, 64);
    const areas = new ExtrasAreas(arena);
    const placement = new Placement(kernel, arena, texts, columnTable, this.#times, areas);
    this.#odd = placement.odd;
    this.#reader = text ? lineReader(placement, text.lineColumn) : recordReader(kernel, arena, {
      columns: sources.raw.map(({ column, kind, path }) => ({ column, kind, path, dotted: true, fromMessage: format !== "log" })),
      columnTable,
      cells,
      ...messageOption(format, sources.messageColumn),
    });
    const extracted = new Set(sources.raw.map((raw) => raw.column));
    const derived: number[] = [];
    for (let column = 0; column < sources.columnCount; column++) {
      if (extracted.has(column)) continue;
      // The line reader fills its column itself.
      if (column !== text?.lineColumn) derived.push(descriptorOf(column));
      arena.u32[(descriptorOf(column) + layout.COLUMN_CELLS) >>> 2] = cells + column * layout.ROW_CAP * 8;
      // What else adds values to a column gives it room first.
      if (addedTo.has(this.columns.keys[column]?.kind)) ownExtras(arena, descriptorOf(column), areas.take());
    }
    this.#derived = arena.alloc(derived.length * 4 + 4);
    this.#derivedCount = derived.length;
    arena.u32.set(derived, this.#derived >>> 2);
    this.#steps = writeSteps(arena, sources.steps, descriptorOf, areas);
    this.#lines = text && new LineReading(placement, text, this.columns);
    this.#operations = planned.map((operation) => operation(placement));
    this.#textArena = this.#operations.length || text ? arena.alloc(TEXT_ARENA_BYTES + layout.READ_PAD, 64) : 0;
    this.#timeDescriptor = descriptorOf(sources.timeColumn);
    this.#highs = arena.alloc(layout.ROW_CAP * 8, 64);
    this.#tagArena = arena.alloc(TAG_ARENA_BYTES + layout.READ_PAD, 64);
    this.#addresses = AddressScan.create(kernel, arena, this.columns, descriptorOf, DERIVED_EXTRAS);
    this.#intel = hasIntel ? new IntelStep(kernel, arena, enrichment!.intel!, { format, columns: this.columns, descriptorOf, times: this.#times, rowStart: this.#reader.rowStart, rowEnd: this.#reader.rowEnd, isPlain }) : undefined;
    this.#matchStruct = this.matching.write(arena, columnTable, this.#times, kernel);
    this.#pairs = arena.u32[(this.#matchStruct + layout.MATCH_PAIRS) >>> 2]!;
    this.#emitStruct = this.#writeEmit(writeShapes(arena, shapes), columnTable);
  }

  /** Reads whole records at [start, start + length) and appends their matches to the result arrays. */
  run(start: number, length: number, profile: InputProfile, arrivalMs: number, results: ResultArea): PlanOutcome {
    this.#aim(results);
    this.#steps.defaults.take(profile);
    this.#intel?.take(profile);
    const arrival = { arrivalMs, latestMs: profile.clampAheadMs === undefined ? Number.POSITIVE_INFINITY : arrivalMs + profile.clampAheadMs };
    this.#kernel.emitReset(this.#emitStruct);
    this.#reader.begin();
    const outcome: PlanOutcome = { consumed: 0, events: 0, highMs: Number.NEGATIVE_INFINITY, withoutTime: 0, clamped: 0, malformed: [], full: false, records: false };
    const end = start + length;
    let at = start;
    while (at < end && !outcome.full && !outcome.records) {
      at = this.#inner(at, this.#innerEnd(at, end), arrival, outcome);
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
    return this.#reader.slowRows;
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
  #inner(at: number, end: number, arrival: Arrival, outcome: PlanOutcome): number {
    for (;;) {
      const rows = this.#reader.read(at, end);
      const { consumed } = this.#reader;
      const fits = rows === 0 || this.#judge(rows, arrival, outcome);
      if (fits) {
        for (const bad of this.#reader.bad()) outcome.malformed.push({ reason: bad.reason, start: bad.start, length: bad.end - bad.start });
        outcome.events += rows;
        return at + consumed;
      }
      if (outcome.records || (outcome.full && this.matches > 0)) return at;
      outcome.full = false;
      if (rows === 1) {
        const first = this.#reader.rowStart;
        const start = this.#get(first);
        outcome.malformed.push({ reason: "too-many-values", start, length: this.#get(this.#reader.rowEnd) - start });
        outcome.events += 1;
        return at + consumed;
      }
      end = this.#get(this.#reader.rowEnd + ((rows >> 1) - 1) * 4);
      // Up to and including the line's end.
      while (end < at + consumed && this.#arena.u8[end - 1] !== NEWLINE) end++;
    }
  }

  #judge(rows: number, arrival: Arrival, outcome: PlanOutcome): boolean {
    const kernel = this.#kernel;
    kernel.clearColumns(this.#derived, this.#derivedCount, rows);
    kernel.tagArena(this.#tagArena, this.#tagArena + TAG_ARENA_BYTES);
    if (this.#textArena) kernel.textArena(this.#textArena, this.#textArena + TEXT_ARENA_BYTES);
    const read = this.#lines?.run(rows) ?? "done";
    if (read !== "done") {
      outcome.records = read === "records";
      return false;
    }
    if (!kernel.derive(this.#steps.address, this.#steps.count, rows, this.#steps.defaults.tags, this.#steps.defaults.tagsLength)) return false;
    const fits = this.#operations.every((operation) => operation.run(rows));
    if (this.#odd.isFound) {
      this.#odd.isFound = false;
      outcome.records = true;
      return false;
    }
    if (!fits) return false;
    const untimed = kernel.deriveTimes(this.#timeDescriptor, rows, arrival.arrivalMs, arrival.latestMs, this.#times, this.#highs, outcome.highMs);
    if (this.#intel && !this.#intel.run(rows)) return false;
    if (this.#addresses && !this.#addresses.scan(rows)) return false;
    const pairs = kernel.match(this.#matchStruct, rows);
    if (pairs < 0) return false;
    this.#arena.u32[(this.#emitStruct + layout.EMIT_ROW_BASE) >>> 2] = outcome.events;
    if (pairs > 0 && !kernel.emit(this.#emitStruct, this.#pairs, pairs)) {
      outcome.full = true;
      return false;
    }
    outcome.withoutTime += Number(untimed & 0xffffffffn);
    outcome.clamped += Number(untimed >> 32n);
    outcome.highMs = this.#arena.f64[(this.#highs + (rows - 1) * 8) >>> 3]!;
    return true;
  }

  #writeEmit(shapes: number, columnTable: number): number {
    const struct = this.#arena.alloc(layout.EMIT_BYTES, 16);
    const fields = [
      [layout.EMIT_SHAPES, shapes], [layout.EMIT_TIMES, this.#times], [layout.EMIT_HIGHS, this.#highs],
      [layout.EMIT_ROW_START, this.#reader.rowStart], [layout.EMIT_ROW_END, this.#reader.rowEnd], [layout.EMIT_COLUMNS, columnTable],
    ] as const;
    for (const [field, value] of fields) this.#arena.u32[(struct + field) >>> 2] = value;
    if (this.#ids.length) {
      const list = this.#arena.alloc((1 + this.#ids.length) * 4);
      this.#arena.u32.set([this.#ids.length, ...this.#ids], list >>> 2);
      this.#arena.u32[(struct + layout.EMIT_IDS) >>> 2] = list;
    }
    return struct;
  }

  /** Points the emit kernel at a slot's result arrays. */
  #aim(area: ResultArea): void {
    const fields = [
      [layout.EMIT_CAPACITY, area.capacity], [layout.EMIT_OUT_TIME, area.time], [layout.EMIT_OUT_HIGH, area.high],
      [layout.EMIT_OUT_KEY_HASH, area.keyHash], [layout.EMIT_OUT_VALUE, area.value], [layout.EMIT_OUT_STANDING, area.standing],
      [layout.EMIT_OUT_ROW, area.row], [layout.EMIT_OUT_KEY_START, area.keyStart], [layout.EMIT_OUT_KEY_LENGTH, area.keyLength],
      [layout.EMIT_OUT_EVENT_START, area.eventStart], [layout.EMIT_OUT_EVENT_LENGTH, area.eventLength], [layout.EMIT_OUT_ID, area.id],
      [layout.EMIT_KEYS, area.keys], [layout.EMIT_KEYS_END, area.keysEnd],
    ] as const;
    for (const [field, value] of fields) this.#arena.u32[(this.#emitStruct + field) >>> 2] = value;
  }

  #get(address: number): number {
    return this.#arena.u32[address >>> 2]!;
  }
}

function messageOption(format: EventFormat, column: number | undefined): { message?: { column: number } } {
  return format === "log" || column === undefined ? {} : { message: { column } };
}

function recordReader(kernel: Kernel, arena: Arena, plan: ExtractionPlan): RecordReader {
  const extraction = new Extraction(arena, plan);
  return {
    read: (start, end) => kernel.extract(extraction.struct, start, end),
    begin: () => extraction.beginInput(),
    bad: () => extraction.bad(),
    rowStart: extraction.rowStart,
    rowEnd: extraction.rowEnd,
    get consumed() {
      return extraction.consumed;
    },
    get slowRows() {
      return extraction.counters.parsed;
    },
  };
}

function lineReader(placement: Placement, lineColumn: number): RecordReader {
  const cutter = new LineCutter(placement, lineColumn);
  return {
    read: (start, end) => cutter.read(start, end),
    begin() {},
    bad: () => [],
    rowStart: cutter.rowStart,
    rowEnd: cutter.rowEnd,
    get consumed() {
      return cutter.consumed;
    },
    slowRows: 0,
  };
}
