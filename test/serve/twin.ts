import { join } from "node:path";
import { expect } from "vitest";
import { type EngineStats, createEngine } from "../../host/index.ts";
import { readFolder } from "../../host/journal/check.ts";
import type { Damage, StoredEntry } from "../../host/journal/contract.ts";
import { storedForm } from "../../host/signal/signal.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalStore, type StoredSignal } from "../../host/store/signals.ts";

/** What a signal comes to. */
export interface Told {
  readonly id: string;
  readonly rule: string;
  readonly severity: string;
  readonly first: number;
  readonly last: number;
  readonly events: number;
  readonly document: string;
}

export async function journalOf(data: string): Promise<{ readonly entries: StoredEntry[]; readonly damage: Damage[] }> {
  const entries: StoredEntry[] = [];
  const damage: Damage[] = [];
  for await (const entry of readFolder(join(data, "journal"), { segment: 0, entry: 0 }, { segment: Infinity, entry: 0 }, (each) => damage.push(each))) entries.push(entry);
  return { entries, damage };
}

/** What one engine that nobody ever stopped makes of a journal. */
export async function uninterrupted(entries: readonly StoredEntry[], rules: readonly Record<string, unknown>[]): Promise<{ readonly signals: Told[]; readonly stats: EngineStats }> {
  const engine = await createEngine({ rules, stateBytes: 64 * 1024 ** 2, signalDetails: true });
  for (const { bytes, profile, arrivalMs, partition } of entries) {
    if (partition === "\u0000clock") engine.tick(arrivalMs);
    else await engine.push(bytes, { ...profile, arrivalMs, partition });
  }
  await engine.flush();
  const signals = engine.finalSignals().map((signal) => ({
    id: signal.id, rule: signal.ruleId, severity: signal.severity, first: signal.firstSeenMs, last: signal.lastSeenMs, events: signal.eventsMatched, document: storedForm(signal).text,
  }));
  return { signals: signals.sort(byId), stats: await engine.close({ goesOn: true }) };
}

export function storedSignals(data: string): Told[] {
  const sql = SqlDriver.open(join(data, "vespid.db"), migrations);
  const stored: StoredSignal[] = new SignalStore(sql).all();
  sql.close();
  return stored.map(({ id, ruleId, severity, firstSeenMs, lastSeenMs, eventsMatched, document }) => ({ id, rule: ruleId, severity, first: firstSeenMs, last: lastSeenMs, events: eventsMatched, document })).sort(byId);
}

/** The store has what one uninterrupted engine says of the journal; nothing is missing, nothing there twice. */
export function expectSame(stored: readonly Told[], twin: readonly Told[]): void {
  expect(stored.map(({ id }) => id)).toEqual(twin.map(({ id }) => id));
  // A signal made of others shows their samples as they are when it is asked, not as they were when it last changed itself.
  const readable = ({ document, ...members }: Told): object => ({ ...members, document: { ...(JSON.parse(document) as object), ...(members.rule === "both" ? { samples: [] } : {}) } });
  stored.forEach((one, i) => expect(readable(one)).toEqual(readable(twin[i]!)));
}

/** Ids of the events in a journal, as `nr` names them, in order. */
export function numbersOf(entries: readonly StoredEntry[]): number[] {
  return entries.flatMap(({ bytes }) => [...Buffer.from(bytes).toString().matchAll(/"nr":(\d+)/g)].map(([, nr]) => Number(nr)));
}

function byId(a: Told, b: Told): number {
  return a.id < b.id ? -1 : 1;
}
