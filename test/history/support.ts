import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import type { FoundChanges, HistoryOutcome, HistoryRequest, HistorySetup } from "../../host/history/contract.ts";
import { judgeJournal } from "../../host/history/journal-run.ts";
import { CLOCK_PARTITION, snapshotOf } from "../../host/history/journal-source.ts";
import { createEngine } from "../../host/index.ts";
import type { JournalEntry } from "../../host/journal/contract.ts";
import { Journal, type JournalOptions } from "../../host/journal/journal.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { readRule } from "../../host/rule/wire.ts";
import { storedForm } from "../../host/signal/signal.ts";
import { burst } from "../serve/rules.ts";

/** A signal for every match: its id hangs on the number of the event. */
export const each = {
  ...burst, id: "each", name: "Each", options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 0, maxSignalDuration: 0 },
  queries: [{ name: "a", query: "source:sso @evt.outcome:success", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "info", condition: "a > 0" }],
};

export function folders(): (name: string) => string {
  const root = mkdtempSync(join(tmpdir(), "vespid-history-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return (name) => join(root, name);
}

/** What came in at one time, as a server writes it to its journal; without events: its clock. */
export interface Came {
  readonly arrivalMs: number;
  readonly partition?: string;
  readonly dataSource?: "audit" | "events";
  readonly events?: readonly (Record<string, unknown> & { readonly timestamp: number })[];
}

export function entryOf({ arrivalMs, partition = "a", dataSource, events }: Came): JournalEntry {
  if (!events) return { profile: { format: "log" }, partition: CLOCK_PARTITION, arrivalMs, bytes: new Uint8Array() };
  const bytes = new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  return { profile: { format: "intake", clampAheadMs: 600_000, ...(dataSource ? { dataSource } : {}) }, partition, arrivalMs, bytes };
}

/** @param together entries of one frame */
export async function journalWith(folder: string, came: readonly Came[], options: JournalOptions & { readonly together?: number } = {}): Promise<Journal> {
  const { together = 20, ...more } = options;
  const journal = await Journal.open(folder, more);
  for (let i = 0; i < came.length; i += together) await journal.append(came.slice(i, i + together).map(entryOf));
  return journal;
}

export function setupOf(wires: readonly Record<string, unknown>[], more: Partial<HistorySetup> = {}): HistorySetup {
  return { rules: wires.map((wire): Rule => readRule(wire)), stateBytes: 64 * 1024 ** 2, ...more };
}

/** Documents by id, as the last word on each. */
export class Found {
  readonly documents = new Map<string, string>();
  hear({ signals, gone }: FoundChanges): void {
    for (const id of gone) this.documents.delete(id);
    for (const { id, document } of signals) this.documents.set(id, document);
  }
  get sorted(): string[] {
    return [...this.documents].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, document]) => document);
  }
}

export async function overJournal(journal: Journal | string, request: Partial<HistoryRequest> & Pick<HistoryRequest, "setup">): Promise<{ readonly documents: string[]; readonly outcome: HistoryOutcome }> {
  const found = new Found();
  const outcome = await judgeJournal(
    { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, index: "main", details: true, ...request }, snapshotOf(journal),
    { onChanges: (changes) => found.hear(changes) },
  );
  return { documents: found.sorted, outcome };
}

/** What a live engine makes of these events and clocks, nobody having cut or skipped anything. */
export async function live(came: readonly Came[], setup: HistorySetup): Promise<string[]> {
  const engine = await createEngine({ ...setup, signalDetails: true });
  for (const each of came) {
    const { partition, arrivalMs, profile, bytes } = entryOf(each);
    if (partition === CLOCK_PARTITION) engine.tick(arrivalMs);
    else if (bytes.length) await engine.push(bytes, { ...profile, arrivalMs, partition });
  }
  await engine.close();
  return engine.finalSignals().map((signal) => [signal.id, storedForm(signal).text] as const).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
}

/** Only what a range holds: its events, and clocks from its beginning on. */
export function within(came: readonly Came[], fromMs: number, toMs: number): Came[] {
  return came.flatMap((each) => {
    if (!each.events) return each.arrivalMs >= fromMs ? [each] : [];
    const events = each.events.filter(({ timestamp }) => timestamp >= fromMs && timestamp < toMs);
    return events.length ? [{ ...each, events }] : [];
  });
}

/** Told in short where they differ: documents are long. */
export function expectSame(documents: readonly string[], twin: readonly string[]): void {
  const facts = (text: string): string => {
    const { id, rule_id, first_seen, group } = JSON.parse(text) as Record<string, unknown>;
    return JSON.stringify({ id, rule_id, first_seen, group });
  };
  expect(documents.map(facts)).toEqual(twin.map(facts));
  documents.forEach((document, i) => expect(JSON.parse(document)).toEqual(JSON.parse(twin[i]!)));
  expect(documents).toEqual(twin);
}
