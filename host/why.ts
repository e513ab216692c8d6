import type { InputOptions } from "./batch/input.ts";
import { TimedRecords } from "./batch/input-time.ts";
import { type Group, groupNames, keyValues } from "./census.ts";
import type { MatchColumns } from "./batch/matches.ts";
import type { LogEvent } from "./event/event.ts";
import { EventReader } from "./event/made.ts";
import { readTimestamp } from "./event/timestamp.ts";
import { type DetectionSetup, DetectionPipeline } from "./pipeline.ts";
import { type QueryTrace, traceQuery } from "./query/trace.ts";
import type { Field, QueryNode } from "./query/tree.ts";
import { valuesOf } from "./query/values.ts";
import { type GuardTrace, traceGuards } from "./rule/guard-trace.ts";
import { withColumns } from "./rule/table-columns.ts";
import type { Rule } from "./rule/rule.ts";
import { type StandingQuery, idleReason, isWindowed, standingQueries } from "./rule/standing.ts";
import type { Suppression } from "./rule/suppression.ts";
import type { Signal } from "./signal/signal.ts";
import { Ledger } from "./why-ledger.ts";
import { type StateLine, methodState } from "./why-methods.ts";
import { type CaseAnswer, type WindowAnswer, Windows } from "./why-windows.ts";

export interface QueryAnswer {
  readonly label: string;
  readonly trace: QueryTrace;
  /** Group-by fields the event has no value for, where that leaves it out. */
  readonly missing: readonly string[];
}

export interface GroupAnswer {
  readonly group: Group;
  readonly windows: readonly WindowAnswer[];
  readonly cases: readonly CaseAnswer[];
  readonly state: readonly StateLine[];
  /** The signal that was open for the group when the event came. */
  readonly open?: Pick<Signal, "caseName" | "severity" | "firstSeenMs" | "lastSeenMs" | "eventsMatched">;
}

export type Outcome =
  | { readonly kind: "opened" | "extended"; readonly signals: readonly Signal[] }
  | { readonly kind: "suppressed"; readonly by: readonly string[] }
  | { readonly kind: "late"; readonly byMs: number }
  /** Left out by `deduplicate`. */
  | { readonly kind: "repeat" }
  | { readonly kind: "idle"; readonly reason: string }
  | { readonly kind: "none" };

export interface WhyAnswer {
  readonly rule: Rule;
  readonly event: LogEvent;
  readonly timeMs: number;
  readonly guards: readonly GuardTrace[];
  readonly queries: readonly QueryAnswer[];
  readonly windowMs: number;
  readonly groups: readonly GroupAnswer[];
  /** Events of the logs beside it that were judged before it. */
  readonly contextEvents: number;
  readonly outcome: Outcome;
}

export type WhySetup = Omit<DetectionSetup, "rules" | "workers" | "variant" | "onSignal" | "onMatches" | "onSuppressed" | "onMalformed"> & { readonly rule: Rule };

/** A record as it came, and how it is read. */
export interface AskedRecord {
  readonly bytes: Uint8Array;
  readonly input: InputOptions;
}

/**
 * Tells of one event and one rule what became of it. What happened is the engine's word, which runs over the logs given and
 * the event; why is worked out beside it, event by event.
 */
export class Why {
  readonly #setup: WhySetup;
  readonly #asked: AskedRecord;
  readonly #reader: EventReader;
  readonly #event: LogEvent;
  readonly #readsEvents: boolean;
  /** By group key as the kernel writes it: number of the query that names its fields. */
  readonly #keys: ReadonlyMap<string, number>;
  readonly #timeMs: number;
  readonly #ledger: Ledger;
  readonly #highs = new Map<string, number>();
  #pipeline: DetectionPipeline | undefined;
  /** The file of the event, once it was met in the logs. */
  #partition = "";
  #isAsking = false;
  #heard: Outcome = { kind: "none" };
  #lateMs = 0;

  /** Throws when the record cannot be read. */
  static async create(setup: WhySetup, asked: AskedRecord): Promise<Why> {
    const standing = standingQueries([setup.rule]);
    const keys = new Map<string, number>();
    let timeMs: number | undefined;
    const reasons: string[] = [];
    // Alone, the event tells which groups it belongs to.
    const probe = await DetectionPipeline.create({
      ...setup, rules: [setup.rule], workers: 0, variant: "simd", onSignal() {}, onMalformed: (reason) => reasons.push(reason),
      onMatches: (matches) => {
        timeMs = matches.timeMs[0];
        for (const [key, query] of keysOf(matches, standing)) if (!keys.has(key)) keys.set(key, query);
      },
    });
    await probe.push(withNewline(asked.bytes), asked.input);
    const { events } = await probe.close();
    if (!events) throw new UnreadableEvent(reasons[0] ?? "it holds no event");
    return new Why(setup, asked, standing, keys, timeMs);
  }

  private constructor(setup: WhySetup, asked: AskedRecord, standing: readonly StandingQuery[], keys: ReadonlyMap<string, number>, timeMs: number | undefined) {
    this.#setup = setup;
    this.#asked = asked;
    this.#reader = new EventReader(setup.pipelines, withColumns(setup.rule, setup.referenceTables));
    this.#event = this.#reader.event(asked.bytes, asked.input, asked.input.arrivalMs);
    this.#timeMs = timeMs ?? readTimestamp(this.#event.timestamp, asked.input.arrivalMs) ?? asked.input.arrivalMs;
    this.#keys = keys;
    this.#readsEvents = standing.length > 0;
    this.#ledger = new Ledger(standing, keys.keys(), horizonOf(setup.rule));
  }

  /** Takes records that came before the event; those of a later time are left out, and of the event's own file all from the event on. */
  async context(bytes: Uint8Array, input: InputOptions, file: string): Promise<void> {
    // What matches nothing needs no company.
    if (file === this.#partition || !this.#keys.size) return;
    const pipeline = await this.#engine();
    const records = new TimedRecords(bytes, input, this.#setup.pipelines);
    const asked = trimmed(this.#asked.bytes);
    let from = 0;
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline + 1;
      const isIt = Buffer.compare(trimmed(bytes.subarray(start, end)), asked) === 0;
      const timeMs = isIt ? undefined : records.timeAt(start);
      const isLater = timeMs !== undefined && timeMs > this.#timeMs;
      if (isIt || isLater) {
        if (start > from) await pipeline.push(bytes.slice(from, start), { ...input, partition: file });
        from = end;
      }
      if (isLater) this.#highs.set(file, Math.max(this.#highs.get(file) ?? Number.NEGATIVE_INFINITY, timeMs));
      if (isIt) {
        this.#partition = file;
        this.#lateMs = Math.max(0, (this.#highs.get(file) ?? Number.NEGATIVE_INFINITY) - this.#timeMs);
        return;
      }
      start = end;
    }
    if (from < bytes.length) await pipeline.push(bytes.slice(from), { ...input, partition: file });
  }

  async answer(): Promise<WhyAnswer> {
    const { rule } = this.#setup;
    const pipeline = await this.#engine();
    await pipeline.flush();
    const { events: contextEvents, duplicates } = pipeline.stats();
    const known = pipeline.signals.map((signal) => ({ group: signal.group, caseName: signal.caseName, severity: signal.severity, firstSeenMs: signal.firstSeenMs, lastSeenMs: signal.lastSeenMs, eventsMatched: signal.eventsMatched }));
    const idle = idleReason(rule) ?? (this.#readsEvents ? undefined : "it reads signals, not logs");
    const isLate = this.#lateMs > this.#setup.allowedLatenessMs;
    if (!isLate) {
      this.#isAsking = true;
      await pipeline.push(withNewline(this.#asked.bytes), { ...this.#asked.input, partition: this.#partition });
      await pipeline.flush();
      this.#isAsking = false;
      if (pipeline.stats().duplicates > duplicates) this.#heard = { kind: "repeat" };
    }
    await pipeline.close();
    const outcome: Outcome = idle !== undefined ? { kind: "idle", reason: idle } : isLate ? { kind: "late", byMs: this.#lateMs } : this.#heard;
    const windowMs = rule.options.evaluationWindowMs;
    return {
      rule, event: this.#event, timeMs: this.#timeMs, guards: traceGuards(rule, this.#setup, this.#event), queries: this.#queries(), windowMs, contextEvents, outcome,
      groups: [...this.#keys].map(([key, query]) => this.#groupAnswer(key, query, known)),
    };
  }

  #groupAnswer(key: string, query: number, known: ReadonlyArray<NonNullable<GroupAnswer["open"]> & { readonly group: Group }>): GroupAnswer {
    const { rule } = this.#setup;
    const values = keyValues(key);
    const group = Object.fromEntries(groupNames(rule, query).map((name, i) => [name, values[i] ?? ""]));
    const windows = new Windows(rule, this.#ledger, this.#reader, key);
    const shown = rule.groupSignalsBy.length ? Object.fromEntries(Object.entries(group).filter(([name]) => rule.groupSignalsBy.includes(name))) : group;
    const open = known.findLast((signal) => JSON.stringify(signal.group) === JSON.stringify(shown) && this.#timeMs - signal.lastSeenMs < rule.options.keepAliveMs && this.#timeMs - signal.firstSeenMs <= rule.options.maxSignalDurationMs);
    const { kind } = rule.options.method;
    return {
      group,
      windows: isWindowed(rule) ? windows.at(this.#timeMs, rule.options.evaluationWindowMs) : [],
      cases: kind === "threshold" ? windows.cases(this.#timeMs) : [],
      state: methodState({ rule, event: this.#event, timeMs: this.#timeMs, key, ledger: this.#ledger, reader: this.#reader, windows }),
      ...(open ? { open } : {}),
    };
  }

  #queries(): QueryAnswer[] {
    return askedQueries(this.#setup.rule).map(({ label, node, groupBy, names, isOptional }) => ({
      label, trace: traceQuery(node, this.#event), missing: isOptional ? [] : names.filter((_, i) => !valuesOf(groupBy[i]!, this.#event).length),
    }));
  }

  async #engine(): Promise<DetectionPipeline> {
    this.#pipeline ??= await DetectionPipeline.create({
      ...this.#setup, rules: [this.#setup.rule], workers: 0, variant: "simd",
      onMatches: (matches, firstEvent, profile) => this.#ledger.add(matches, firstEvent, profile),
      onSignal: ({ kind, signal }) => {
        if (!this.#isAsking) return;
        const before = this.#heard.kind === "opened" || this.#heard.kind === "extended" ? this.#heard.signals : [];
        this.#heard = { kind: kind === "opened" || this.#heard.kind === "opened" ? "opened" : "extended", signals: [...before.filter((each) => each.id !== signal.id), signal] };
      },
      onSuppressed: (suppression: Suppression) => {
        if (this.#isAsking && (this.#heard.kind === "none" || this.#heard.kind === "suppressed")) {
          const names = this.#heard.kind === "suppressed" ? this.#heard.by : [];
          this.#heard = { kind: "suppressed", by: [...new Set([...names, suppression.name])] };
        }
      },
    });
    return this.#pipeline;
  }
}

/** The bytes asked about are no event; the message says why. */
export class UnreadableEvent extends Error {}

const NEWLINE = 10;

function withNewline(bytes: Uint8Array): Uint8Array {
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = NEWLINE;
  return line;
}

function trimmed(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === NEWLINE || bytes[end - 1] === 13 || bytes[end - 1] === 32)) end--;
  return bytes.subarray(0, end);
}

/** Groups of matches. A query without group-by beside others that have it belongs to all, and names none. */
function* keysOf(matches: MatchColumns, standing: readonly StandingQuery[]): Generator<[string, number]> {
  const view = Buffer.from(matches.bytes.buffer, matches.bytes.byteOffset, matches.bytes.byteLength);
  const isGrouped = standing.some((query) => query.groupBy.length > 0);
  for (let i = 0; i < matches.count; i++) {
    const query = standing[matches.standing[i]!]!;
    if (isGrouped && !query.groupBy.length) continue;
    const start = matches.keyStart[i]!;
    yield [view.toString("latin1", start, start + matches.keyLength[i]!), query.queryIndex];
  }
}

/** How long a match may matter to what comes after it. */
function horizonOf({ options }: Rule): number {
  const { method, evaluationWindowMs } = options;
  switch (method.kind) {
    case "threshold":
    case "content_anomaly":
      // THEN looks at a window that ends in this one.
      return evaluationWindowMs * 2 + 1;
    case "sequence_detection":
      return method.steps.reduce((sum, step) => sum + step.windowMs, 0) + method.transitionMs.reduce((sum, ms) => sum + ms, 0) + 1;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

interface AskedQuery {
  readonly label: string;
  readonly node: QueryNode;
  readonly groupBy: readonly Field[];
  readonly names: readonly string[];
  readonly isOptional: boolean;
}

function askedQueries(rule: Rule): AskedQuery[] {
  const { method } = rule.options;
  if (method.kind !== "third_party") return rule.queries.map((query) => ({ label: query.label, node: query.node, groupBy: query.groupBy, names: query.groupByNames, isOptional: query.optionalGroupBy }));
  return [
    ...method.rootQueries.map((root, i) => ({ label: `root ${i + 1}`, node: root.node, groupBy: root.groupBy, names: root.groupByNames, isOptional: false })),
    ...rule.cases.flatMap((each, i) => {
      const query = each.query ?? rule.queries[i];
      return query ? [{ label: `case ${each.name || i + 1}`, node: query.node, groupBy: [], names: [], isOptional: false }] : [];
    }),
  ];
}
