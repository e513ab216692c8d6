import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../atomic-file.ts";
import { type Engine, type EngineOptions, type EngineStats, type RestoredState, type Signal, type SignalEvent, createEngine } from "../index.ts";
import type { InputProfile } from "../engine/task.ts";
import type { IntakeBatch, IntakeSink, Refusal } from "../intake/contract.ts";
import { type Damage, type JournalEntry, type JournalPosition, type StoredEntry, comparePositions } from "../journal/contract.ts";
import { JournalError } from "../journal/error.ts";
import type { Journal } from "../journal/journal.ts";
import type { RuleWork } from "../control/context.ts";
import { statePosition } from "../saved-state.ts";
import type { GoneSignal, SignalStore } from "../store/signals.ts";
import type { SuppressedStore } from "../store/suppressed.ts";
import { Quarantine } from "./quarantine.ts";
import { type SavedSuppressed, SuppressedLedger } from "./suppressed.ts";

/** The file in the data folder that holds what rules know, and up to which place of the journal. */
export const STATE_FILE = "state.vespid";
/** Entries of the journal that are no logs: the server's clock, so that a restart hears of it at the same place. */
const CLOCK_PARTITION = "\u0000clock";

/** What an engine is made of, beside its state. */
export type RuleSetup = Pick<EngineOptions, "rules" | "pipelines" | "suppressions" | "securityFilters" | "criticalAssets" | "referenceTables" | "stateBytes" | "allowedLatenessSeconds" | "deduplicate">;

export interface DetectionOptions {
  readonly folder: string;
  readonly workers: number;
  /** Bytes on their way to disk and detection at most; beyond it senders are told to come again. Default 64 MiB. */
  readonly heldBytes?: number;
  readonly nowMs?: () => number;
  /** Told of each signal that opened or grew, after the event that did it was on disk. */
  readonly onSignal?: (event: SignalEvent) => void;
  readonly onMalformed?: EngineOptions["onMalformed"];
  /** An entry of the journal is not judged, because detection failed on it time and again. */
  readonly onSetAside?: (position: JournalPosition, reason: string) => void;
  /** Told of signals that are stored no more: part of others by now, or left without a match. */
  readonly onGone?: (ids: readonly string[]) => void;
  /** Where samples of what suppressions stopped are kept; nowhere when absent. */
  readonly suppressed?: SuppressedStore;
  /** Detection cannot go on. */
  readonly onFailure: (error: unknown) => void;
}

/** A checkpoint may write so many bytes for each that came since the one before. */
const WRITTEN_PER_TAKEN = 8;
const MOST_PASSED_OVER = 10;
const HELD_BYTES = 64 * 1024 * 1024;
const BUSY_AGAIN_S = 2;
const DISK_AGAIN_S = 30;
/** Signals of one transaction. */
const STORED_AT_ONCE = 256;
/** Entries that a replay judges between two looks at the clock. */
const REPLAY_REPORT_ENTRIES = 64;

/** The state an earlier process left in a data folder. */
export function savedState(folder: string): Uint8Array | undefined {
  const path = join(folder, STATE_FILE);
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** Up to which place of the journal a state was judged. Throws `ProblemError` where it is damaged. */
export function savedPosition(state: Uint8Array): JournalPosition {
  return (statePosition(state) as unknown as SavedPosition).journal;
}

interface SavedPosition {
  readonly journal: JournalPosition;
  /** What sources said of themselves, by partition. */
  readonly marks: Readonly<Record<string, string>>;
  /** Absent in what earlier versions wrote. */
  readonly suppressed?: SavedSuppressed;
}

/**
 * Logs to the journal, from there to the engine, in one order; signals to the store. A batch is acknowledged when it is on disk
 * and handed to the engine, and a checkpoint says up to which place of the journal everything was judged and stored.
 */
export class LiveDetection implements IntakeSink {
  readonly #journal: Journal;
  readonly #signals: SignalStore;
  readonly #options: DetectionOptions;
  readonly #nowMs: () => number;
  readonly quarantine: Quarantine;
  /** What suppressions stopped. */
  readonly suppressed: SuppressedLedger;
  #engine!: Engine;
  #closing = false;
  #failed: unknown;
  #replaying = false;
  #heldBytes = 0;
  /** What is handed to the engine follows one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Behind the last entry the engine was given. */
  #given: JournalPosition;
  #checkpointed: JournalPosition;
  /** Of the last checkpoint; and what was handed to the engine since. */
  #savedBytes = 0;
  #bytesSinceSave = 0;
  #savesPassedOver = 0;
  readonly #marks = new Map<string, string>();
  /** Changed since they were last stored, and those that are none any more. */
  readonly #changed = new Map<string, Signal>();
  readonly #gone = new Map<string, GoneSignal>();
  #shownRevision = 0;
  readonly #sinceMs: number;
  #eventsBefore = 0;
  #matchesBefore: ReadonlyMap<string, number> = new Map();

  private constructor(journal: Journal, signals: SignalStore, options: DetectionOptions) {
    this.#journal = journal;
    this.#signals = signals;
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#sinceMs = this.#nowMs();
    this.quarantine = new Quarantine(options.folder);
    this.suppressed = new SuppressedLedger(options.suppressed);
    this.#given = this.#checkpointed = journal.start;
  }

  /** With the state of the last checkpoint, if there is one; `replay` is to follow before anything is taken. */
  static async create(journal: Journal, signals: SignalStore, setup: RuleSetup, state: Uint8Array | undefined, options: DetectionOptions): Promise<LiveDetection> {
    const detection = new LiveDetection(journal, signals, options);
    await detection.#begin(setup, state);
    detection.#eventsBefore = detection.stats.events;
    return detection;
  }

  /** What became of the saved state. */
  get restored(): RestoredState | undefined {
    return this.#engine.restored;
  }

  /** What rules took since the server started, under whatever engines. */
  get ruleWork(): RuleWork {
    const matches = new Map(this.#matchesBefore);
    for (const [id, count] of this.#engine.matchesByRule()) matches.set(id, (matches.get(id) ?? 0) + count);
    return { sinceMs: this.#sinceMs, events: this.stats.events - this.#eventsBefore, matches };
  }

  get stats(): EngineStats {
    return this.#engine.stats();
  }

  /** Last mark of each source whose batches are on disk. */
  get marks(): ReadonlyMap<string, string> {
    return this.#marks;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** From here on the journal is read again by a restart. */
  get checkpointed(): JournalPosition {
    return this.#checkpointed;
  }

  /** Behind the last entry that was handed to the engine. */
  get given(): JournalPosition {
    return this.#given;
  }

  /**
   * Judges what the journal holds beyond the checkpoint.
   *
   * @param onDamage hears of entries that cannot be read: what they held is judged by nobody.
   * @returns how many entries.
   */
  async replay(onProgress: (entries: number) => void = () => {}, onDamage: (damage: Damage) => void = () => {}): Promise<number> {
    let entries = 0;
    this.#replaying = true;
    this.quarantine.begin();
    for await (const entry of this.#journal.read(this.#given, undefined, onDamage)) {
      if (this.quarantine.isCareful) await this.#giveCarefully(entry);
      else await this.#give([entry], entry.position);
      if (++entries % REPLAY_REPORT_ENTRIES === 0) onProgress(entries);
    }
    await this.#flush();
    this.#replaying = false;
    await this.storeSignals();
    this.quarantine.end();
    return entries;
  }

  /** One entry to its end, unless it is known to fail. */
  async #giveCarefully(entry: StoredEntry): Promise<void> {
    const { position } = entry;
    if (!this.quarantine.mayGive(position)) {
      this.quarantine.setAside(entry);
      this.#options.onSetAside?.(position, this.quarantine.reason);
      this.#passed([entry], position);
      return;
    }
    try {
      await this.#give([entry], position);
      await this.#flush();
    } catch (error) {
      this.quarantine.failed(error);
      throw error;
    }
  }

  get refusal(): Refusal | undefined {
    if (this.#closing || this.#failed !== undefined) return { reason: "closing", retryAfterS: BUSY_AGAIN_S };
    if (this.#heldBytes >= (this.#options.heldBytes ?? HELD_BYTES)) return { reason: "full", retryAfterS: BUSY_AGAIN_S };
    return this.#journal.state === "ok" || this.#heldBytes === 0 ? undefined : { reason: "disk", retryAfterS: DISK_AGAIN_S };
  }

  async accept(batches: readonly IntakeBatch[]): Promise<Refusal | undefined> {
    const refusal = this.refusal;
    if (refusal) return refusal;
    const entries = batches.filter(({ bytes }) => bytes.length > 0).map(entryOf);
    if (!entries.length) return undefined;
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    this.#heldBytes += bytes;
    try {
      const position = await this.#journal.append(entries);
      await this.#inTurn(() => this.#give(entries, position));
      return undefined;
    } catch (error) {
      if (error instanceof JournalError) return refusalOf(error);
      throw error;
    } finally {
      this.#heldBytes -= bytes;
    }
  }

  /** The server's clock goes on: sources that are silent hold nothing back, and what waits for time to pass is judged. */
  async tick(): Promise<void> {
    if (this.#closing) return;
    const entry: JournalEntry = { profile: { format: "log" }, partition: CLOCK_PARTITION, arrivalMs: this.#nowMs(), bytes: new Uint8Array() };
    try {
      const position = await this.#journal.append([entry]);
      await this.#inTurn(() => this.#give([entry], position));
    } catch (error) {
      if (!(error instanceof JournalError)) throw error; // a disk that takes nothing is told elsewhere, and the next tick says as much
    }
  }

  /** Other rules from the next batch on; what is known of those that stay the same goes along. */
  async swap(setup: RuleSetup): Promise<RestoredState | undefined> {
    return await this.#inTurn(async () => {
      const state = await this.#state();
      // A restart must judge what comes now by the new rules, and what came before by the old.
      this.#save(state);
      const before = this.#engine;
      const matches = this.ruleWork.matches;
      await this.#begin(setup, state);
      this.#matchesBefore = matches;
      await before.close({ goesOn: true });
      return this.#engine.restored;
    });
  }

  /**
   * Stores what changed. Signals of events up to here are on disk when it resolves.
   *
   * @param withinMs what is not stored by then waits for the next call; no bound when absent
   */
  async storeSignals(withinMs?: number): Promise<void> {
    await this.#inTurn(async () => {
      await this.#flush();
      this.#store(withinMs);
    });
  }

  /** Writes what rules know, and from where on the journal is to be read again. */
  async checkpoint(): Promise<void> {
    await this.#inTurn(async () => {
      if (comparePositions(this.#given, this.#checkpointed) === 0 && existsSync(join(this.#options.folder, STATE_FILE))) return;
      this.#save(await this.#state());
    });
  }

  /**
   * As `checkpoint`, unless so little came since the last one that to judge it again costs less than to write all that rules know:
   * the state is written whole, and holds many megabytes of recent events. Written all the same after ten calls.
   */
  async checkpointWhenWorth(): Promise<void> {
    if (this.#bytesSinceSave * WRITTEN_PER_TAKEN < this.#savedBytes && ++this.#savesPassedOver < MOST_PASSED_OVER) return;
    await this.checkpoint();
  }

  /** Takes no more, judges what it has, and leaves a checkpoint behind it. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#turn;
    if (this.#failed === undefined) await this.checkpoint();
    await this.#engine.close({ goesOn: true }).catch((error: unknown) => {
      if (this.#failed === undefined) throw error; // what it failed on was told
    });
  }

  async #begin(setup: RuleSetup, state: Uint8Array | undefined): Promise<void> {
    this.#engine = await createEngine({
      ...setup, signalDetails: true, workers: this.#options.workers, onMalformed: this.#options.onMalformed, ...(state ? { state } : {}),
      onSignal: (event) => this.#hear(event), onSuppressed: (match) => this.suppressed.add(match),
    });
    const saved = this.#engine.restored?.position as unknown as SavedPosition | undefined;
    if (!saved) return;
    this.#given = this.#checkpointed = saved.journal;
    for (const [partition, mark] of Object.entries(saved.marks)) this.#marks.set(partition, mark);
    this.suppressed.restore(saved.suppressed);
  }

  #hear(event: SignalEvent): void {
    const { signal } = event;
    this.#changed.set(signal.id, signal);
    this.#gone.delete(signal.id);
    for (const { id } of event.gone ?? []) {
      this.#changed.delete(id);
      this.#gone.set(id, id === signal.id ? { id } : { id, into: signal.id });
    }
    if (this.#gone.has(signal.id)) return;
    // What was told before a stop is not told again.
    if (!this.#replaying || !this.#signals.get(signal.id)) this.#options.onSignal?.(event);
  }

  async #give(entries: readonly JournalEntry[], position: JournalPosition): Promise<void> {
    try {
      for (const { bytes, profile, arrivalMs, partition } of entries) {
        if (partition === CLOCK_PARTITION) this.#engine.tick(arrivalMs);
        else await this.#engine.push(bytes, { ...profile, arrivalMs, partition });
      }
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#passed(entries, position);
  }

  /** All that was given is judged. */
  async #flush(): Promise<void> {
    try {
      await this.#engine.flush();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #fail(error: unknown): void {
    if (this.#failed !== undefined) return;
    this.#failed = error;
    if (!this.#replaying) this.quarantine.begin();
    this.#options.onFailure(error);
  }

  /** All of it was handed to the engine, or set aside. */
  #passed(entries: readonly JournalEntry[], position: JournalPosition): void {
    for (const { partition, mark, bytes } of entries) {
      if (mark !== undefined) this.#marks.set(partition, mark);
      this.#bytesSinceSave += bytes.length;
    }
    this.#given = { segment: position.segment, entry: position.entry + entries.length };
  }

  /** All that is known up to the place given, its signals stored before. */
  async #state(): Promise<Uint8Array> {
    await this.#flush();
    this.#store();
    const position: SavedPosition = { journal: this.#given, marks: Object.fromEntries(this.#marks), suppressed: this.suppressed.save() };
    return await this.#engine.checkpoint({ position: position as unknown as Record<string, never>, shownRevision: this.#shownRevision, releases: true });
  }

  #save(state: Uint8Array): void {
    writeAtomically(join(this.#options.folder, STATE_FILE), state);
    this.#savedBytes = state.length;
    this.#bytesSinceSave = this.#savesPassedOver = 0;
    this.#checkpointed = this.#given;
    this.#journal.keepFrom("detection", this.#given);
  }

  /** A signal costs tenths of a millisecond: thousands that grow at once must not keep the logs waiting. */
  #store(withinMs = Number.POSITIVE_INFINITY): void {
    this.suppressed.store();
    const endMs = performance.now() + withinMs;
    while ((this.#changed.size || this.#gone.size) && performance.now() < endMs) {
      const some = firstOf(this.#changed.values(), STORED_AT_ONCE);
      // Last: what becomes of them must be there.
      const gone = some.length === this.#changed.size ? [...this.#gone.values()] : [];
      this.#signals.save(some, gone, this.#nowMs());
      for (const { id, revision } of some) {
        this.#shownRevision = Math.max(this.#shownRevision, revision);
        this.#changed.delete(id);
      }
      for (const { id } of gone) this.#gone.delete(id);
      if (gone.length) this.#options.onGone?.(gone.map(({ id }) => id));
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return await turn;
  }
}

function firstOf<Item>(items: Iterable<Item>, most: number): Item[] {
  const found: Item[] = [];
  for (const item of items) {
    if (found.length === most) break;
    found.push(item);
  }
  return found;
}

function entryOf({ profile, arrivalMs, partition, bytes, mark, dataSource }: IntakeBatch): JournalEntry {
  return { profile: dataSource ? { ...profile, clampAheadMs: CLAMP_AHEAD_MS, dataSource } : clamped(profile), arrivalMs, partition, bytes, ...(mark === undefined ? {} : { mark }) };
}

const clampedProfiles = new WeakMap<InputProfile, InputProfile>();

/** The same object for the same profile: the journal then knows it for the one it has written already. */
function clamped(profile: InputProfile): InputProfile {
  let known = clampedProfiles.get(profile);
  if (!known) clampedProfiles.set(profile, (known = { ...profile, clampAheadMs: CLAMP_AHEAD_MS, isForeign: true }));
  return known;
}

/** A clock further ahead than this is not believed. */
const CLAMP_AHEAD_MS = 600_000;

function refusalOf({ code }: JournalError): Refusal {
  if (code === "journal/busy") return { reason: "full", retryAfterS: BUSY_AGAIN_S };
  return code === "journal/closed" ? { reason: "closing", retryAfterS: BUSY_AGAIN_S } : { reason: "disk", retryAfterS: DISK_AGAIN_S };
}
