import type { InputProfile } from "./engine/task.ts";
import type { Variant } from "./engine/kernel.ts";
import type { Queryable } from "./event/event.ts";
import type { Pipeline } from "./event/pipeline/pipeline.ts";
import { DetectionPipeline, type EngineInput, type EngineStats } from "./pipeline.ts";
import type { CriticalAssetRule, ReferenceTables, SecurityFilter, Suppression } from "./rule/guards.ts";
import type { Rule } from "./rule/rule.ts";
import { readRule } from "./rule/wire.ts";
import type { CheckpointOptions, RestoredState } from "./saved-state.ts";
import type { SignalEvent } from "./signal/book.ts";
import type { Signal } from "./signal/signal.ts";

export type { InputProfile } from "./engine/task.ts";
export type { EventFormat, LogEvent } from "./event/event.ts";
export { readPipelines } from "./event/pipeline/document.ts";
export type { Pipeline } from "./event/pipeline/pipeline.ts";
export { type MatchedEvent, type Matcher, type MatcherOptions, createMatcher } from "./matcher.ts";
export { type Problem, ProblemError } from "./problem.ts";
export { parseQuery } from "./query/parse.ts";
export { printQuery } from "./query/print.ts";
export { readCriticalAssets, readSecurityFilters, readSuppressions } from "./rule/guards.ts";
export type { Rule } from "./rule/rule.ts";
export { readRule } from "./rule/wire.ts";
export { type Signal, signalJson } from "./signal/signal.ts";
export type { EngineInput, EngineStats } from "./pipeline.ts";
export type { CheckpointOptions, RestoredState } from "./saved-state.ts";
export type { SignalEvent } from "./signal/book.ts";

/** A match that opened or extended no signal, since a suppression was in force. */
export interface SuppressedMatch {
  /** Id of the first suppression that stopped it. */
  readonly by: string;
  readonly rule: Rule;
  readonly group: Readonly<Record<string, string>>;
  readonly timeMs: number;
  /** The signal that would have been, as suppressions saw it; `status` is its severity. */
  readonly signal: Queryable;
}

export interface EngineOptions {
  /** Rules as read by `readRule`, or payloads in Datadog's shape. */
  readonly rules: ReadonlyArray<Rule | Record<string, unknown>>;
  /** Pipelines as read by `readPipelines` or `packPipelines`, in order; events in the envelope format pass none. */
  readonly pipelines?: readonly Pipeline[];
  readonly suppressions?: readonly Suppression[];
  readonly securityFilters?: readonly SecurityFilter[];
  readonly criticalAssets?: readonly CriticalAssetRule[];
  readonly referenceTables?: ReferenceTables;
  /** 0 (the default): in this thread. */
  readonly workers?: number;
  readonly variant?: Variant;
  /** How far behind the highest event time an event is still judged. 300 by default. */
  readonly allowedLatenessSeconds?: number;
  /**
   * What rules may remember, in bytes, taken as it is needed; groups far from their threshold give way first. Windows, other methods
   * and contents of logs have an equal part each, as far as there are such rules. 1 GiB for each of them by default.
   */
  readonly stateBytes?: number;
  /** Hears of each match that a suppression stopped. */
  readonly onSuppressed?: (match: SuppressedMatch) => void;
  /** Signals tell all that a store keeps of them, `Signal.documentDetails`; events are read for it, at most 1000 of each signal. */
  readonly signalDetails?: boolean;
  /**
   * Leaves an event out of detection when another with the same id was judged less than ten minutes before, in event time, and counts it
   * (`duplicates`). The id is what the shipper gave the event: `id`, `_id`, or the attribute `event_id`. Without one nothing is guessed.
   * Ids take up to a quarter more than `stateBytes`. Off by default: where `id` names something else than the event, logs would be lost.
   */
  readonly deduplicate?: boolean;
  /** Called for every signal opened or extended, besides the iterator. */
  readonly onSignal?: (event: SignalEvent) => void;
  readonly onMalformed?: (reason: string, bytes: Uint8Array, profile: InputProfile) => void;
  /** What `checkpoint` of an earlier engine gave: this one goes on behind it, with the same rules or others. */
  readonly state?: Uint8Array;
}

/** Bytes of logs in, signals out. */
export interface Engine {
  /**
   * Memory of the engine, about a megabyte, to read records into: a part of it that is pushed next is judged where it lies, not
   * copied. Resolves when there is room; good until the next push.
   */
  room(): Promise<Uint8Array>;
  /** Takes whole records; resolves when they are accepted, which under load means: when there is room. */
  push(bytes: Uint8Array, input: EngineInput): Promise<void>;
  /** Nothing more comes of a partition, so its time holds nothing back. Its name is not to be used again. */
  end(partition: string): void;
  /**
   * The server's clock stands here, in its place among what is pushed: inputs that brought nothing for a minute hold back nothing,
   * and what waits for time to pass is judged when every one is silent. Without ticks, event time alone counts.
   */
  tick(clockMs: number): void;
  /** Signals as they open and extend; ends after `close`. */
  signals(): AsyncIterable<SignalEvent>;
  /** All signals so far in their present state, in the order they opened. */
  finalSignals(): readonly Signal[];
  /** Resolves when everything pushed has been judged. */
  flush(): Promise<void>;
  /**
   * All that is known once everything pushed has been judged: an engine created with it goes on as if it were this one.
   *
   * Nothing is to be pushed until it resolves, if `position` is to be that of the state.
   */
  checkpoint(options?: CheckpointOptions): Promise<Uint8Array>;
  /** What became of the state it was created with. */
  readonly restored: RestoredState | undefined;
  /** With `goesOn`, what waits for time to pass is not judged now: an engine created from a checkpoint will. */
  close(options?: { readonly goesOn?: boolean }): Promise<EngineStats>;
  /** Counted from the very beginning, before a checkpoint too. */
  stats(): EngineStats;
  /** What detection did for each rule: matches of its queries by rule id, since this engine was created. */
  matchesByRule(): ReadonlyMap<string, number>;
}

/**
 * An engine with its rules compiled.
 *
 * Throws `ProblemError` when a rule is refused, or a state that is damaged or of another version. The same bytes give the same signals for any number of workers.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const rules = options.rules.map((rule) => (isRule(rule) ? rule : readRule(rule)));
  const queue = new SignalQueue();
  let listening = false;
  const pipeline = await DetectionPipeline.create({
    rules,
    pipelines: options.pipelines ?? [],
    suppressions: options.suppressions ?? [],
    securityFilters: options.securityFilters,
    criticalAssets: options.criticalAssets ?? [],
    referenceTables: options.referenceTables ?? {},
    workers: options.workers ?? 0,
    variant: options.variant ?? "simd",
    allowedLatenessMs: (options.allowedLatenessSeconds ?? 300) * 1000,
    stateBytes: options.stateBytes,
    deduplicate: options.deduplicate,
    signalDetails: options.signalDetails,
    onSuppressed: options.onSuppressed && ((by, { timeMs }, { rule, group }, signal) => options.onSuppressed!({ by: by.id, rule, group, timeMs, signal })),
    onSignal(event) {
      options.onSignal?.(event);
      if (listening) queue.put(event);
    },
    onMalformed: options.onMalformed,
    state: options.state,
  });
  return {
    room: () => pipeline.room(),
    push: (bytes, input) => pipeline.push(bytes, input),
    end: (partition) => pipeline.end(partition),
    tick: (clockMs) => pipeline.tick(clockMs),
    signals() {
      listening = true;
      return queue;
    },
    finalSignals: () => pipeline.signals,
    flush: () => pipeline.flush(),
    checkpoint: (options = {}) => pipeline.checkpoint(options),
    restored: pipeline.restored,
    async close(options = {}) {
      const stats = await pipeline.close(options.goesOn === true);
      queue.end();
      return stats;
    },
    stats: () => pipeline.stats(),
    matchesByRule: () => pipeline.matchesByRule(),
  };
}

function isRule(rule: Rule | Record<string, unknown>): rule is Rule {
  return "wire" in rule && Array.isArray(rule.queries) && "conditionText" in ((rule.cases as readonly object[])[0] ?? {});
}

/** Signals on their way to one reader. */
class SignalQueue implements AsyncIterable<SignalEvent> {
  readonly #ready: SignalEvent[] = [];
  readonly #waiting: Array<(result: IteratorResult<SignalEvent>) => void> = [];
  #ended = false;

  put(event: SignalEvent): void {
    const reader = this.#waiting.shift();
    if (reader) reader({ value: event, done: false });
    else this.#ready.push(event);
  }

  end(): void {
    this.#ended = true;
    for (const reader of this.#waiting.splice(0)) reader({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): AsyncIterator<SignalEvent> {
    return {
      next: () => {
        const event = this.#ready.shift();
        if (event) return Promise.resolve({ value: event, done: false });
        if (this.#ended) return Promise.resolve({ value: undefined, done: true });
        return new Promise((resolve) => this.#waiting.push(resolve));
      },
    };
  }
}
