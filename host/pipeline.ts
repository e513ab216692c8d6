import { Flow, type FlowStats } from "./batch/flow.ts";
import type { MatchColumns } from "./batch/matches.ts";
import { Detector } from "./detect/detector.ts";
import { Duplicates } from "./detect/duplicates.ts";
import type { CaseHit } from "./detect/hit.ts";
import { ContentAnomaly } from "./detect/method/content.ts";
import { ContentFilter, type ContentJudge } from "./detect/method/content-filter.ts";
import { createMethods } from "./detect/method/create.ts";
import { JudgedEvents } from "./detect/method/judged-events.ts";
import { MethodRunner } from "./detect/method/runner.ts";
import { RecentEvents } from "./detect/recent.ts";
import { planRules } from "./detect/threshold.ts";
import { RuleKeys, seedOf } from "./detect/state/detection-state.ts";
import { type StateFile, readState } from "./detect/state/format.ts";
import { setupBytes } from "./detect/window-memory.ts";
import type { Executor } from "./engine/executor.ts";
import type { Variant } from "./engine/kernel.ts";
import { StateInstance } from "./engine/state.ts";
import type { InputProfile } from "./engine/task.ts";
import { EventReader } from "./event/made.ts";
import type { Pipeline } from "./event/pipeline/pipeline.ts";
import { InputProfiles } from "./input-profiles.ts";
import { createExecutor } from "./matcher.ts";
import { ProblemError } from "./problem.ts";
import { withColumns } from "./rule/table-columns.ts";
import { type CriticalAssetRule, type EventGuards, type SecurityFilter, type Suppression, effectiveQuery } from "./rule/guards.ts";
import type { Rule } from "./rule/rule.ts";
import { signalProblems } from "./rule/signal-source.ts";
import { type StandingQuery, isWindowed, standingQueries } from "./rule/standing.ts";
import { type BookChange, SignalBook, type SignalBookOptions, type SignalEvent } from "./signal/book.ts";
import { SignalReaders } from "./signal/readers.ts";
import { type CheckpointOptions, type RestoredState, type StatefulParts, restorePipeline, savePipeline } from "./saved-state.ts";
import type { Signal } from "./signal/signal.ts";

export interface DetectionSetup extends EventGuards {
  readonly rules: readonly Rule[];
  readonly pipelines: readonly Pipeline[];
  readonly suppressions: readonly Suppression[];
  readonly securityFilters?: readonly SecurityFilter[];
  readonly criticalAssets: readonly CriticalAssetRule[];
  readonly workers: number;
  readonly variant: Variant;
  readonly allowedLatenessMs: number;
  /** What the detectors' state may take; groups give way when it is not enough. */
  readonly stateBytes?: number;
  /** Is an event left out when another of the same id came before? */
  readonly deduplicate?: boolean;
  /** Do signals tell all that a store keeps of them? */
  readonly signalDetails?: boolean;
  readonly onSignal: (event: SignalEvent) => void;
  readonly onMalformed?: (reason: string, bytes: Uint8Array, profile: InputProfile) => void;
  /** What another pipeline saved: it is taken up where it fits. */
  readonly state?: Uint8Array;
  /** Sees each batch of matches just before it is judged; good for the call only. */
  readonly onMatches?: (matches: MatchColumns, firstEvent: number, profile: InputProfile, partition: string) => void;
  /** Hears which suppression ate a match. */
  readonly onSuppressed?: SignalBookOptions["onSuppressed"];
}

/** How bytes are read, when they came, and which stream they belong to. */
export interface EngineInput extends InputProfile {
  readonly arrivalMs: number;
  /** Each file or connection has a watermark of its own: one that lags is not late for another's sake. */
  readonly partition?: string;
}

export interface EngineStats extends Readonly<FlowStats> {
  readonly lateDropped: number;
  /** Matching events left out because their own id came before; always 0 where nobody asked for that. */
  readonly duplicates: number;
  /** Ids that found no room: repeats of these are judged. */
  readonly idsForgotten: number;
  readonly suppressed: number;
  readonly signals: number;
  /** Groups held, given up for want of room (of these near their threshold), and over. */
  readonly groups: number;
  readonly evicted: number;
  readonly evictedNear: number;
  readonly expired: number;
  /** Matches that found no memory. */
  readonly refused: number;
  /** Sightings of values kept by filters only, for want of room: now and then one takes a new value for known. */
  readonly filtered: number;
  readonly stateBytes: number;
}

const STATE_BYTES = 1024 * 1024 * 1024;
/** Of what rules may remember, ids take as much again as this part of it. */
const IDS_PART = 4;

/** Windows, other methods and contents have memories of their own: what is given goes to those that the rules need, each an equal part. */
function stateShare({ rules, stateBytes }: DetectionSetup, standing: readonly StandingQuery[]): number {
  if (stateBytes === undefined) return STATE_BYTES;
  const live = new Set(standing.map((query) => query.ruleIndex));
  const needed = new Set(rules.filter((_, i) => live.has(i)).flatMap((rule) => [isWindowed(rule) ? "windows" : "methods", ...(rule.options.method.kind === "content_anomaly" ? ["contents"] : [])]));
  return Math.floor(stateBytes / Math.max(1, needed.size));
}

/** Judges of the rules that look at content; their memory is there only where such a rule is. */
async function contentJudges(rules: readonly Rule[], standing: readonly StandingQuery[], variant: Variant, bytes: number): Promise<Array<ContentJudge | undefined>> {
  const live = new Set(standing.map((query) => query.ruleIndex));
  const looks = (rule: Rule, i: number): boolean => live.has(i) && rule.options.method.kind === "content_anomaly";
  if (!rules.some(looks)) return [];
  const { ContentRoom } = await import("./engine/content-room.ts");
  // A room for each: no rule's flood of keys takes another's.
  const roomBytes = Math.floor(bytes / rules.filter(looks).length);
  return Promise.all(rules.map(async (rule, i) => (looks(rule, i) ? new ContentAnomaly(rule, await ContentRoom.create(variant, roomBytes)) : undefined)));
}

/** Of rules that are given columns of reference tables, by number of the rule. */
function readersWithColumns({ rules, referenceTables, pipelines }: DetectionSetup): ReadonlyMap<number, EventReader> {
  return new Map(rules.flatMap((rule, i) => {
    const columns = withColumns(rule, referenceTables);
    return columns ? [[i, new EventReader(pipelines, columns)] as const] : [];
  }));
}

/**
 * The whole flow, top to bottom: bytes to slots, slots through the kernels on an executor, matches in order to the
 * detectors, case hits to signals.
 */
export class DetectionPipeline {
  readonly #executor: Executor;
  readonly #flow: Flow;
  readonly #detector: Detector;
  readonly #book: SignalBook;
  /** Rules whose events are signals; undefined where there is none. */
  readonly #readers: SignalReaders | undefined;
  readonly #duplicates: Duplicates | undefined;
  readonly #profiles: InputProfiles;
  readonly #onSignal: (event: SignalEvent) => void;
  readonly #parts: StatefulParts;
  readonly #rules: readonly Rule[];
  readonly #standing: readonly StandingQuery[];
  /** By standing query, since it was made. */
  readonly #matches: Float64Array;
  /** What became of the state it was given. */
  readonly restored: RestoredState | undefined;

  static async create(setup: DetectionSetup): Promise<DetectionPipeline> {
    const problems = signalProblems(setup.rules).map(({ problem }) => problem).filter((problem) => problem.level !== "warning");
    if (problems.length) throw new ProblemError(problems);
    const file = setup.state && readState(setup.state);
    const keys = new RuleKeys(setup.rules);
    const standing = standingQueries(setup.rules, (rule, query) => effectiveQuery(rule, query, setup));
    const executor = await createExecutor({ standing, pipelines: setup.pipelines, variant: setup.variant, deduplicate: setup.deduplicate }, setup.workers);
    const plans = planRules(setup.rules, standing, setup.allowedLatenessMs);
    const stateBytes = stateShare(setup, standing);
    const state = await StateInstance.create(setup.variant, stateBytes, setupBytes(plans));
    const recent = new RecentEvents();
    const profiles = new InputProfiles(recent);
    const reader = new EventReader(setup.pipelines);
    const events = new JudgedEvents(recent, profiles.list, reader);
    const runner = new MethodRunner(createMethods(setup.rules, standing, { allowedLatenessMs: setup.allowedLatenessMs, events, stateBytes }), standing, setup.allowedLatenessMs);
    const content = new ContentFilter(await contentJudges(setup.rules, standing, setup.variant, stateBytes), standing, setup.allowedLatenessMs);
    const detector = new Detector(plans, standing, state, { allowedLatenessMs: setup.allowedLatenessMs, seed: file && seedOf(file), salts: keys.salts }, { runner, content, recent });
    try {
      return new DetectionPipeline(setup, standing, executor, detector, profiles, reader, keys, file);
    } catch (error) {
      await executor.close();
      throw error;
    }
  }

  private constructor(setup: DetectionSetup, standing: readonly StandingQuery[], executor: Executor, detector: Detector, profiles: InputProfiles, reader: EventReader, keys: RuleKeys, file: StateFile | undefined) {
    this.#profiles = profiles;
    this.#executor = executor;
    this.#detector = detector;
    this.#onSignal = setup.onSignal;
    this.#rules = setup.rules;
    this.#standing = standing;
    const counted = (this.#matches = new Float64Array(standing.length));
    const duplicates = setup.deduplicate ? new Duplicates(Math.floor((setup.stateBytes ?? STATE_BYTES) / IDS_PART)) : undefined;
    this.#duplicates = duplicates;
    this.#book = new SignalBook(setup.rules, detector.recent, profiles.list, {
      suppressions: setup.suppressions, criticalAssets: setup.criticalAssets, reader, readers: readersWithColumns(setup), onSuppressed: setup.onSuppressed, details: setup.signalDetails,
    });
    const readers = new SignalReaders(setup.rules, this.#book, (change) => this.#onSignal(change));
    this.#readers = readers.isIdle ? undefined : readers;
    this.#flow = new Flow(executor, {
      onMatches: (found, profile, firstEvent, partition, arrivalMs) => {
        const matches = duplicates?.without(found) ?? found;
        setup.onMatches?.(matches, firstEvent, profile, partition);
        this.#detector.apply(matches, firstEvent, matches.count ? this.#profiles.numberOf(profile) : 0, partition, (hit) => this.#hear(hit), arrivalMs);
        for (let i = 0; i < matches.count; i++) counted[matches.standing[i]!]!++;
      },
      onMalformed: (reason, bytes, profile) => setup.onMalformed?.(reason, bytes, profile),
      onLost: (bytes, profile) => setup.onMalformed?.("worker-lost", bytes, profile),
    });
    const { allowedLatenessMs, rules } = setup;
    this.#parts = { rules, keys, detector, book: this.#book, readers: this.#readers, duplicates, flow: this.#flow.stats, profiles, allowedLatenessMs };
    this.restored = file && restorePipeline(this.#parts, file);
  }

  room(): Promise<Uint8Array> {
    return this.#flow.room();
  }

  async push(bytes: Uint8Array, input: EngineInput): Promise<void> {
    const { arrivalMs, partition, ...profile } = input;
    await this.#flow.push(bytes, profile, arrivalMs, partition);
  }

  /** Nothing more comes of a partition, so it holds the state of others back no longer. Its name is not to be used again. */
  end(partition: string): void {
    this.#flow.after(() => this.#detector.end(partition));
  }

  /** The server's clock stands here, as of what was pushed so far. */
  tick(clockMs: number): void {
    this.#flow.after(() => this.#detector.tick(clockMs, (hit) => this.#hear(hit)));
  }

  flush(): Promise<void> {
    return this.#flow.flush();
  }

  /** All that is known behind what was pushed so far, as a state file. */
  async checkpoint(options: CheckpointOptions): Promise<Uint8Array> {
    await this.#flow.flush();
    return savePipeline(this.#parts, options);
  }

  /** @param goesOn another will go on from a checkpoint: what waits for time to pass waits on. */
  async close(goesOn = false): Promise<EngineStats> {
    await this.#flow.flush();
    if (!goesOn) this.#detector.finish((hit) => this.#hear(hit));
    await this.#executor.close();
    return this.stats();
  }

  get signals(): readonly Signal[] {
    return this.#book.signals;
  }

  /** Matches of its queries by rule id, since this was made; rules without one are not there. */
  matchesByRule(): Map<string, number> {
    const byRule = new Map<string, number>();
    for (const { id, ruleIndex } of this.#standing) {
      const [ruleId, count] = [this.#rules[ruleIndex]!.id, this.#matches[id]!];
      if (count) byRule.set(ruleId, (byRule.get(ruleId) ?? 0) + count);
    }
    return byRule;
  }

  stats(): EngineStats {
    const counts = this.#detector.counts;
    const read = this.#readers?.counts();
    return {
      ...this.#flow.stats, malformed: { ...this.#flow.stats.malformed }, ...counts, groups: counts.groups + (read?.groups ?? 0), evicted: counts.evicted + (read?.evicted ?? 0),
      stateBytes: counts.stateBytes + (read?.stateBytes ?? 0) + (this.#duplicates?.bytes ?? 0), duplicates: this.#duplicates?.dropped ?? 0, idsForgotten: this.#duplicates?.forgotten ?? 0,
      suppressed: this.#book.suppressed, signals: this.#book.signals.length + this.#book.forgotten,
    };
  }

  #hear(hit: CaseHit): void {
    const change: BookChange | undefined = this.#book.apply(hit);
    if (!change) return;
    this.#onSignal(change);
    this.#readers?.hear(change);
  }
}
