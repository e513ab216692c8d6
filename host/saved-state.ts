import type { FlowStats } from "./batch/flow.ts";
import type { Detector } from "./detect/detector.ts";
import type { Duplicates } from "./detect/duplicates.ts";
import { StateFault } from "./detect/state/bytes.ts";
import { type DroppedState, type RuleKeys, restoreDetection, saveDetection } from "./detect/state/detection-state.ts";
import { SECTION_FLOW, SECTION_HEARD, SECTION_IDS, SECTION_SIGNALS, type StateFile, type StateSection, damaged, readState, writeState } from "./detect/state/format.ts";
import type { InputProfile } from "./engine/task.ts";
import type { InputProfiles } from "./input-profiles.ts";
import type { Json } from "./event/event.ts";
import type { Rule } from "./rule/rule.ts";
import type { SignalBook } from "./signal/book.ts";
import type { OpenSignal } from "./signal/open-signal.ts";
import type { SavedHeard, SignalReaders } from "./signal/readers.ts";

export interface CheckpointOptions {
  /** The caller's own, given back when the state is taken up: where to go on reading. */
  readonly position?: Json;
  /**
   * Signals whose latest change is at most this have been handed on to somebody who keeps them (`Signal.revision`): of these, those
   * that no event in time can extend any more are left out.
   */
  readonly shownRevision?: number;
  /** These are let go of at once, so that an engine may run for years: `finalSignals` no longer has them. */
  readonly releases?: boolean;
}

/** What became of a saved state. */
export interface RestoredState {
  /** Events judged before it was saved. */
  readonly events: number;
  readonly position?: Json;
  /** Sections of rules that were taken up. */
  readonly taken: number;
  /** Those that were not: their rules are gone or changed, so they begin with nothing. */
  readonly dropped: readonly DroppedState[];
}

/** Everything of a pipeline that has state. */
export interface StatefulParts {
  readonly rules: readonly Rule[];
  readonly keys: RuleKeys;
  readonly detector: Detector;
  readonly book: SignalBook;
  readonly readers: SignalReaders | undefined;
  /** Undefined where repeats are judged like any other event. */
  readonly duplicates: Duplicates | undefined;
  readonly flow: FlowStats;
  readonly profiles: InputProfiles;
  readonly allowedLatenessMs: number;
}

interface SavedFlow {
  readonly stats: FlowStats;
  readonly profiles: ReadonlyArray<InputProfile | null | undefined>;
  readonly suppressed: number;
  readonly forgotten: number;
  readonly revision: number;
}

interface SavedReading {
  readonly readers: ReadonlyArray<readonly [ruleIndex: number, ruleId: string, fingerprint: string]>;
  readonly heard: readonly SavedHeard[];
}

/** All of it as a state file; between two batches. */
export function savePipeline(parts: StatefulParts, { position, shownRevision, releases = false }: CheckpointOptions): Uint8Array {
  const { rules, keys, detector, book, readers, duplicates, flow, profiles, allowedLatenessMs } = parts;
  const streams = detector.streams.entries();
  const lowMs = streams.length ? Math.min(...streams.map(([, highMs]) => highMs)) - allowedLatenessMs : Number.NEGATIVE_INFINITY;
  const isOver = (signal: OpenSignal, { keepAliveMs }: { readonly keepAliveMs: number }): boolean =>
    shownRevision !== undefined && signal.revision <= shownRevision && signal.lastSeenMs + keepAliveMs < lowMs && !readers?.isHeard(signal);
  if (releases) book.release(isOver);
  const own = new Set(book.signals);
  const saved = profiles.saved();
  const { sections: signals, places } = book.save(readers?.heard.filter((signal) => !own.has(signal)) ?? [], saved.numberOf, isOver);
  const common: SavedFlow = { stats: flow, profiles: saved.list, suppressed: book.suppressed, forgotten: book.forgotten, revision: book.revision };
  const sections: StateSection[] = [
    { kind: SECTION_FLOW, items: saved.list.length, body: jsonBytes(common) },
    ...saveDetection(detector, keys, rules.length, (i) => readers?.detector(i)),
    ...signals.map(({ ruleIndex, count, bytes }) => ({ kind: SECTION_SIGNALS, items: count, body: bytes, rule: keys.ofRule(ruleIndex) })),
  ];
  if (readers) {
    const heard = readers.save(places);
    const reading: SavedReading = {
      readers: rules.flatMap((rule, i) => (readers.detector(i) ? [[i, rule.id, hex(keys.fingerprints[i]!)] as const] : [])), heard,
    };
    sections.push({ kind: SECTION_HEARD, items: heard.length, body: jsonBytes(reading) });
  }
  if (duplicates) {
    const { ids, bytes } = duplicates.save();
    sections.push({ kind: SECTION_IDS, items: ids, body: bytes });
  }
  const highs = streams.filter(([, highMs]) => Number.isFinite(highMs));
  return writeState({
    events: flow.events, streams: Object.fromEntries(highs.map(([name, highMs]) => [name, highMs])),
    ...(highs.length ? { watermarkMs: Math.max(...highs.map(([, highMs]) => highMs)) } : {}), ...(position === undefined ? {} : { position }),
  }, sections);
}

/** Takes up a state in a pipeline that has seen nothing. Throws `ProblemError` where the file contradicts itself. */
export function restorePipeline(parts: StatefulParts, file: StateFile): RestoredState {
  try {
    return restore(parts, file);
  } catch (error) {
    if (error instanceof StateFault || error instanceof SyntaxError || error instanceof TypeError) throw damaged(error.message);
    throw error;
  }
}

function restore({ keys, detector, book, readers, duplicates, flow, profiles }: StatefulParts, file: StateFile): RestoredState {
  const common = jsonOf<SavedFlow>(file, SECTION_FLOW);
  if (!common) throw damaged("no flow section");
  Object.assign(flow, common.stats);
  profiles.restore(common.profiles);
  book.suppressed = common.suppressed;
  book.forgotten = common.forgotten;
  book.revision = common.revision;
  const found: Array<{ readonly ruleIndex: number; readonly bytes: Uint8Array }> = [];
  const strays = keys.match(file.sections.filter(({ kind }) => kind === SECTION_SIGNALS), ({ body }, ruleIndex) => found.push({ ruleIndex, bytes: body }));
  const places = book.restore(found);
  const dropped = [...strays, ...restoreDetection(detector, keys, file, (i) => readers?.detector(i))];
  const reading = jsonOf<SavedReading>(file, SECTION_HEARD);
  if (reading && readers) {
    const before = new Map(reading.readers.map(([ruleIndex, id, fingerprint]) => [ruleIndex, { id, fingerprint }]));
    const isDropped = (id: string): boolean => dropped.some(({ ruleId, kind }) => ruleId === id && kind === METHOD);
    readers.restore(reading.heard, places, (ruleIndex) => {
      const reader = before.get(ruleIndex);
      return reader && !isDropped(reader.id) ? keys.indexOf(reader.id, reader.fingerprint) : undefined;
    });
  }
  const ids = file.sections.find(({ kind }) => kind === SECTION_IDS);
  if (ids) duplicates?.restore(ids.body);
  const ofRules = file.sections.filter(({ rule }) => rule !== undefined).length;
  return { events: file.info.events, position: file.info.position, taken: ofRules - dropped.filter(({ reason }) => reason !== "memory").length, dropped };
}

const METHOD = "method";

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function jsonOf<T>(file: StateFile, kind: number): T | undefined {
  const section = file.sections.find((each) => each.kind === kind);
  return section && (JSON.parse(Buffer.from(section.body).toString("utf8")) as T);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The caller's own part of a state file. Throws `ProblemError` where it is damaged or of another version. */
export function statePosition(bytes: Uint8Array): Json | undefined {
  return readState(bytes).info.position;
}
