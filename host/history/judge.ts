import type { InputProfile } from "../engine/task.ts";
import { type Engine, type EngineStats, createEngine } from "../index.ts";
import type { Rule } from "../rule/rule.ts";
import { type Sensitivity, sensitivityOf } from "../rule/sensitivity.ts";
import { isOnSignals, readsSignals } from "../rule/signal-source.ts";
import { type Signal, storedForm } from "../signal/signal.ts";
import { type SensitivityTable, sensitivityTable, turnedRules } from "../turned.ts";
import { type FoundChanges, type HistoryIndex, type HistoryRequest, TooManySignals } from "./contract.ts";
import { TimeCut } from "./time-cut.ts";

/** Records that came together; as an entry of the journal. */
export interface PastEntry {
  readonly profile: InputProfile;
  readonly arrivalMs: number;
  readonly partition: string;
  readonly bytes: Uint8Array;
}

/** Times of the events of an entry, where an index tells them. */
export interface KnownTimes {
  readonly minMs: number;
  readonly maxMs: number;
}

const MOST_SIGNALS = 10_000;
/** A rule that opens so many times what is kept is not run to its end: what is open takes memory. */
const GIVE_UP_AT = 10;
/** Changed signals that wait to be told. */
const TOLD_TOGETHER = 64;

export type OnChanges = (changes: FoundChanges) => void | Promise<void>;

/**
 * Rules over the events of one range of time: an engine of its own, and what came of it.
 *
 * What is judged, and how it is numbered, is what an engine would make that was given the events of the range and nothing else.
 */
export class HistoryJudge {
  readonly #engine: Engine;
  readonly #cut: TimeCut;
  readonly #request: HistoryRequest;
  readonly #onChanges: OnChanges | undefined;
  readonly #skipsOthers: boolean;
  readonly #most: number;
  readonly #sensitivity: Sensitivity | undefined;
  /** Rules that are counted beside those that are told. */
  readonly #beside: number;
  /** Rules that read signals: what theirs show of others is not told before its end. */
  readonly #overSignals: ReadonlySet<string>;
  readonly #toldLast = new Map<string, Signal>();
  #changed = new Map<string, Signal>();
  #gone = new Set<string>();
  readonly #kept = new Set<string>();
  leftOut = 0;

  /** @param onChanges hears of signals, and is waited for; undefined for whoever asks for `finalSignals`. */
  static async create(request: HistoryRequest, onChanges?: OnChanges): Promise<HistoryJudge> {
    const { setup, workers = 0, details } = request;
    const judged = request.judged && new Set(request.judged);
    let judge: HistoryJudge | undefined;
    const [first] = setup.rules;
    const sensitivity = request.turned && first ? sensitivityOf(first) : undefined;
    // Behind the first are rules whose signals it reads; none of them reads its own, so none sees what its other settings find.
    const beside = sensitivity ? turnedRules(first!, sensitivity) : [];
    const told = judged ?? (beside.length ? new Set(setup.rules.map(({ id }) => id)) : undefined);
    const engine = await createEngine({
      ...setup, rules: [...setup.rules, ...beside], workers, signalDetails: details,
      ...(onChanges ? { onSignal: ({ signal, gone }) => (!told || told.has(signal.ruleId)) && judge!.#hear(signal, gone) } : {}),
    });
    judge = new HistoryJudge(engine, request, onChanges, sensitivity, beside.length);
    return judge;
  }

  private constructor(engine: Engine, request: HistoryRequest, onChanges: OnChanges | undefined, sensitivity: Sensitivity | undefined, beside: number) {
    this.#engine = engine;
    this.#sensitivity = sensitivity;
    this.#beside = beside;
    this.#cut = new TimeCut(request, request.setup.pipelines ?? []);
    this.#request = request;
    this.#onChanges = onChanges;
    this.#overSignals = new Set(request.setup.rules.filter(isOnSignals).map(({ id }) => id));
    this.#most = request.mostSignals ?? MOST_SIGNALS;
    this.#skipsOthers = request.setup.rules.some((rule) => readsOthers(rule, request.index));
  }

  get stats(): EngineStats {
    return this.#engine.stats();
  }

  /** Signals that are told. */
  get signals(): number {
    return this.#kept.size;
  }

  /** Once it is finished; undefined where nothing was to be turned. */
  sensitivity(): SensitivityTable | undefined {
    if (!this.#sensitivity) return undefined;
    const byRule = Map.groupBy(this.#engine.finalSignals(), ({ ruleId }) => ruleId);
    return sensitivityTable(this.#request.setup.rules[0]!, this.#sensitivity, (id) => byRule.get(id) ?? []);
  }

  finalSignals(): readonly Signal[] {
    const { judged } = this.#request;
    const all = this.#engine.finalSignals();
    return judged ? all.filter(({ ruleId }) => judged.includes(ruleId)) : all;
  }

  /** Entries in the order in which they came. Throws `TooManySignals`. */
  async take(entry: PastEntry, known?: KnownTimes): Promise<void> {
    // Rules of this index see nothing of the others: these only count, as they did live. A rule that asks about both gets this one's alone.
    if (this.#skipsOthers && indexOf(entry.profile) !== this.#request.index) return;
    const bytes = await this.#cut.within(entry, known);
    // Records of unknown kind, which every query would see, are logs.
    const kind = this.#request.index === "audit" && entry.profile.dataSource === undefined ? { dataSource: "logs" as const } : {};
    if (bytes) await this.#engine.push(bytes, { ...entry.profile, ...kind, arrivalMs: entry.arrivalMs, partition: entry.partition });
    await this.#tellSome();
  }

  /** Nothing more comes of a partition. */
  end(partition: string): void {
    this.#engine.end(partition);
  }

  /** The clock of the server stood here. */
  tick(clockMs: number): void {
    if (clockMs >= this.#request.fromMs) this.#engine.tick(clockMs);
  }

  /** Judges what waits for time to pass: nothing comes behind the range. */
  async finish(): Promise<EngineStats> {
    const stats = await this.close(false);
    if (this.#onChanges) {
      this.#checkNumber();
      this.#takeLast();
      await this.#tell();
    }
    return stats;
  }

  /** Lets go of everything, at any point. */
  async close(goesOn = true): Promise<EngineStats> {
    await this.#cut.close();
    return await this.#engine.close({ goesOn });
  }

  #hear(signal: Signal, gone: readonly Signal[] = []): void {
    this.#keep(signal);
    // It may be gone itself: left without a match.
    for (const { id } of gone) {
      this.#changed.delete(id);
      this.#toldLast.delete(id);
      if (this.#kept.delete(id)) this.#gone.add(id);
    }
  }

  /** The first that opened, however the stream was cut; of others only their number. */
  #keep(signal: Signal): void {
    if (!this.#kept.has(signal.id) && this.#kept.size >= this.#most) {
      this.leftOut++;
      return;
    }
    this.#kept.add(signal.id);
    this.#gone.delete(signal.id);
    (this.#overSignals.has(signal.ruleId) ? this.#toldLast : this.#changed).set(signal.id, signal);
  }

  /** Some of rules that read signals went without a word when what they read moved. */
  #takeLast(): void {
    if (!this.#toldLast.size) return;
    const final = new Set(this.#engine.finalSignals().map(({ id }) => id));
    for (const [id, signal] of this.#toldLast) {
      if (final.has(id)) this.#changed.set(id, signal);
      else this.#kept.delete(id);
    }
  }

  async #tellSome(): Promise<void> {
    if (!this.#onChanges) return;
    this.#checkNumber();
    if (this.#changed.size + this.#gone.size >= TOLD_TOGETHER) await this.#tell();
  }

  #checkNumber(): void {
    const most = this.#most * GIVE_UP_AT * (1 + this.#beside);
    if (this.#engine.stats().signals > most) throw new TooManySignals(most);
  }

  async #tell(): Promise<void> {
    const changed = [...this.#changed.values()];
    const gone = [...this.#gone];
    this.#changed = new Map();
    this.#gone = new Set();
    for (let i = 0; i < Math.max(changed.length, gone.length ? 1 : 0); i += TOLD_TOGETHER) {
      await this.#onChanges!({ signals: changed.slice(i, i + TOLD_TOGETHER).map(found), gone: i === 0 ? gone : [] });
    }
  }
}

function found(signal: Signal): FoundChanges["signals"][number] {
  const { id, ruleId, severity, firstSeenMs, lastSeenMs, eventsMatched } = signal;
  return { id, ruleId, severity, firstSeenMs, lastSeenMs, eventsMatched, document: storedForm(signal).text };
}

export function indexOf({ dataSource }: Pick<InputProfile, "dataSource">): HistoryIndex {
  return dataSource === "audit" ? "audit" : "main";
}

/** Would a rule judge events of another index? Third-party rules take whatever comes. */
function readsOthers({ queries, options }: Rule, index: HistoryIndex): boolean {
  return options.method.kind === "third_party" || queries.some((query) => !readsSignals(query) && indexOf(query) !== index);
}
