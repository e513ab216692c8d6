import type { LogEvent } from "../event/event.ts";
import type { EventReader } from "../event/made.ts";
import type { InputProfile } from "../engine/task.ts";
import { ProblemError } from "../problem.ts";
import { fieldText } from "../query/field.ts";
import type { Field, QueryNode } from "../query/tree.ts";
import { valuesOf } from "../query/values.ts";
import { mayHave } from "./bloom.ts";
import type { Stretch } from "./find.ts";
import type { Finds } from "./finds.ts";
import type { SearchCost } from "./log-search.ts";
import { type Need, mayHold, needsOf } from "./needs.ts";
import { type JournalEnd, type LogKey, type SortOrder, compareKeys } from "./order.ts";
import { FIELDS_CAP, type ScannedEvent, type Scanner, VALUES_CAP } from "./scanner.ts";
import { type JournalView, type SegmentPart, type SegmentView, readFrames, wholeSegment } from "./segments.ts";
import { Tally, type TallyAnswer, type TallyRequest } from "./tally.ts";
import { TopLogs } from "./top.ts";

export interface SweepSetup {
  readonly view: JournalView;
  readonly finds: Finds;
  readonly query: QueryNode;
  readonly sort: SortOrder;
  readonly limit: number;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  /** The last log of the page before. */
  readonly after: LogKey | undefined;
  /** Nothing behind it is looked at. */
  readonly end: JournalEnd | undefined;
  readonly tallies: readonly TallyRequest[];
  readonly mostBytes: number | undefined;
  readonly mostMs: number | undefined;
  /** By `performance.now`. */
  readonly startMs: number;
  readonly reader: EventReader;
}

export interface SweptLog extends LogKey {
  readonly profile: InputProfile;
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
}

export interface SweepAnswer {
  readonly logs: readonly SweptLog[];
  /** There are further ones behind these. */
  readonly more: boolean;
  readonly end: JournalEnd;
  readonly tallies: readonly TallyAnswer[];
  readonly complete: boolean;
  readonly damaged: number;
  readonly cost: Omit<SearchCost, "ms">;
}

/** What a page may hold at most, so that a thousand logs of a megabyte each do not fill the memory. */
const PAGE_BYTES = 64 * 1024 * 1024;

/** Attributes within attributes: kernels are told every way a path may be written in dotted keys, and those grow with its third power. */
const PATH_CAP = 64;

/** A part of a segment and the times that are in it: all that can be for one nothing is known of. */
interface Unit extends SegmentPart {
  readonly segment: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly stretch: Stretch | undefined;
  readonly grows: boolean;
}

/** One pass over what of a journal may hold logs that match: in the order of the answer, as far as times are known. */
export class Sweep {
  readonly fields: readonly Field[];
  readonly fieldNames: readonly string[];
  readonly #setup: SweepSetup;
  readonly #need: Need;
  readonly #top: TopLogs<SweptLog>;
  readonly #tallies: ReadonlyArray<{ readonly tally: Tally; readonly columns: readonly number[] }>;
  readonly #fromMs: number;
  readonly #toMs: number;
  #damaged = 0;
  #scannedBytes = 0;

  /** Throws `search/too-many-fields`, `search/deep-path`. */
  constructor(setup: SweepSetup) {
    this.#setup = setup;
    checkPaths(setup.query);
    for (const { fields } of setup.tallies) fields.forEach(checkPath);
    this.#need = needsOf(setup.query);
    this.#fromMs = setup.fromMs ?? -Infinity;
    this.#toMs = setup.toMs ?? Infinity;
    // One more than the page: it tells whether there is a next one.
    this.#top = new TopLogs(setup.sort, setup.limit === 0 ? 0 : setup.limit + 1, PAGE_BYTES);
    const fields = new Map<string, Field>();
    for (const { fields: each } of setup.tallies) for (const field of each) fields.set(fieldText(field), field);
    this.fieldNames = [...fields.keys()];
    this.fields = [...fields.values()];
    if (fields.size > FIELDS_CAP) throw new ProblemError([{ code: "search/too-many-fields", message: `${fields.size} fields are to be counted by`, hint: `one search counts by ${FIELDS_CAP} at most; ask for the others in another` }]);
    this.#tallies = setup.tallies.map((request) => ({ tally: new Tally(request), columns: request.fields.map((field) => this.fieldNames.indexOf(fieldText(field))) }));
  }

  async run(scanner: Scanner): Promise<SweepAnswer> {
    const { sort, limit } = this.#setup;
    const lostBefore = scanner.lostBytes;
    const eventsBefore = scanner.events;
    const segments = this.#segments();
    const last = segments.at(-1);
    const end = this.#setup.end ?? { segment: last?.segment ?? 0, offset: last?.endOffset ?? 0 };
    const units = (await Promise.all(segments.map((segment) => this.#unitsOf(segment)))).flat();
    const wanted = units.filter((unit) => this.#mayMatch(unit));
    wanted.sort(sort === "newest" ? (a, b) => b.maxMs - a.maxMs || b.segment - a.segment || b.offset - a.offset : (a, b) => a.minMs - b.minMs || a.segment - b.segment || a.offset - b.offset);

    scanner.begin((event) => this.#take(event));
    const read = new Set<Unit>();
    let complete = true;
    for (const unit of wanted) {
      if (await this.#isDone(unit, scanner)) break;
      read.add(unit);
      complete = await this.#read(unit, scanner);
      if (!complete) break;
    }
    await scanner.flush();
    scanner.begin(() => {});
    const logs = this.#top.take();
    const indexed = units.filter(({ stretch }) => stretch);
    const skipped = indexed.filter((unit) => !read.has(unit));
    const readSegments = new Set([...read].map(({ segment }) => segment));
    return {
      logs: logs.slice(0, limit), more: logs.length > limit || this.#top.isCut, end, complete,
      tallies: this.#tallies.map(({ tally }) => tally.answer()),
      damaged: this.#damaged + (scanner.lostBytes > lostBefore ? 1 : 0),
      cost: {
        scannedBytes: this.#scannedBytes, skippedBytes: skipped.reduce((sum, { stretch }) => sum + stretch!.rawBytes, 0), events: scanner.events - eventsBefore,
        segments: segments.length, skippedSegments: segments.filter(({ segment }) => !readSegments.has(segment)).length,
        stretches: indexed.length, skippedStretches: skipped.length,
        unindexedBytes: units.reduce((sum, { stretch, offset, endOffset }) => sum + (stretch ? 0 : endOffset - offset), 0),
      },
    };
  }

  /** Up to the end of the first page. */
  #segments(): SegmentView[] {
    const { view, end } = this.#setup;
    const segments = view.segments();
    if (!end) return segments;
    return segments.flatMap((each) => (each.segment > end.segment ? [] : [each.segment === end.segment ? { ...each, endOffset: Math.min(each.endOffset, end.offset) } : each]));
  }

  /** What is known of a segment, and the rest that nothing is known of. */
  async #unitsOf({ segment, endOffset, grows }: SegmentView): Promise<Unit[]> {
    const find = await this.#setup.finds.of({ segment, endOffset, grows });
    const known = (find?.stretches ?? []).filter((stretch) => stretch.endOffset <= endOffset);
    const units: Unit[] = known.map((stretch) => ({ ...stretch, segment, stretch, grows: false }));
    const behind = known.at(-1);
    const rest = { ...wholeSegment(endOffset), ...(behind && { offset: behind.endOffset, entry: behind.endEntry }) };
    if (rest.offset < endOffset) units.push({ ...rest, segment, minMs: -Infinity, maxMs: Infinity, stretch: undefined, grows });
    return units;
  }

  #mayMatch({ minMs, maxMs, stretch }: Unit): boolean {
    if (maxMs < this.#fromMs || minMs >= this.#toMs) return false;
    const { after, sort } = this.#setup;
    if (after && this.#tallies.length === 0 && (sort === "newest" ? minMs > after.timeMs : maxMs < after.timeMs)) return false;
    if (!stretch) return true;
    if (stretch.events === 0) return false;
    const { fingerprint, sources } = stretch;
    return mayHold(this.#need, {
      mayHave: (word) => fingerprint === undefined || mayHave(fingerprint, word),
      mayHaveSource: (name) => sources === undefined || sources.includes(name),
    });
  }

  /** Whether nothing in this unit, and so in none after it, can come before what was found. */
  async #isDone(unit: Unit, scanner: Scanner): Promise<boolean> {
    if (this.#tallies.length > 0) return false;
    if (this.#setup.limit === 0) return true;
    const isBeyond = (): boolean => {
      const { last } = this.#top;
      return last !== undefined && (this.#setup.sort === "newest" ? unit.maxMs < last.timeMs : unit.minMs > last.timeMs);
    };
    if (!Number.isFinite(this.#setup.sort === "newest" ? unit.maxMs : unit.minMs)) return false;
    await scanner.flush();
    return isBeyond();
  }

  /** @returns false when a limit was reached. */
  async #read(unit: Unit, scanner: Scanner): Promise<boolean> {
    const { mostBytes = Infinity, mostMs = Infinity, startMs } = this.#setup;
    const file = await this.#setup.view.open(unit.segment);
    if (!file) return true;
    try {
      const frames = readFrames(file, unit, (damage) => {
        // The end of a frame that is being written just now is no damage.
        if (!unit.grows || damage.offset + damage.bytes < unit.endOffset) this.#damaged++;
      });
      for await (const { entries } of frames) {
        for (const entry of entries) {
          if (this.#scannedBytes >= mostBytes || performance.now() - startMs >= mostMs) return false;
          // The audit trail has a search, and readers, of its own.
          if (entry.profile.dataSource === "audit") continue;
          this.#scannedBytes += entry.bytes.length;
          await scanner.push(entry);
        }
      }
      return true;
    } finally {
      await file.close();
    }
  }

  #take(event: ScannedEvent): void {
    const { timeMs } = event;
    if (timeMs < this.#fromMs || timeMs >= this.#toMs) return;
    if (this.#tallies.length > 0) this.#count(event);
    const { after, sort } = this.#setup;
    const { segment, entry } = event.entry.position;
    const key: LogKey = { timeMs, segment, entry, row: event.row };
    if (after && (sort === "newest" ? compareKeys(key, after) >= 0 : compareKeys(key, after) <= 0)) return;
    if (!this.#top.takes(key)) return;
    this.#top.add({ ...key, profile: event.entry.profile, arrivalMs: event.entry.arrivalMs, bytes: event.bytes().slice() });
  }

  #count(event: ScannedEvent): void {
    const values = this.fields.length > 0 ? event.values() : [];
    let whole: LogEvent | undefined;
    const exact = values.map((texts, i) => {
      if (texts.length <= 1) return texts;
      if (texts.length < VALUES_CAP) return [...new Set(texts)];
      // Kernels tell no more than this; the event itself tells all.
      whole ??= this.#setup.reader.event(event.bytes(), event.entry.profile, event.entry.arrivalMs);
      return [...new Set(valuesOf(this.fields[i]!, whole).map(String))];
    });
    for (const { tally, columns } of this.#tallies) tally.add(event.timeMs, columns.map((column) => exact[column]!));
  }
}

function checkPaths(node: QueryNode): void {
  if (node.kind === "leaf" || node.kind === "cidr") checkPath(node.field);
  else if (node.kind === "not") checkPaths(node.node);
  else if (node.kind !== "all") node.nodes.forEach(checkPaths);
}

function checkPath(field: Field): void {
  if (field.kind !== "attribute" || field.path.length <= PATH_CAP) return;
  throw new ProblemError([{ code: "search/deep-path", message: `a path of ${field.path.length} names is asked for`, hint: `attributes are found up to ${PATH_CAP} names deep` }]);
}
