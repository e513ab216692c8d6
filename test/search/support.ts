import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { InputProfile } from "../../host/engine/task.ts";
import type { LogEvent } from "../../host/event/event.ts";
import { EventReader } from "../../host/event/made.ts";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { readTimestamp } from "../../host/event/timestamp.ts";
import type { JournalEntry, StoredEntry } from "../../host/journal/contract.ts";
import type { Journal } from "../../host/journal/journal.ts";
import { matches } from "../../host/query/matches.ts";
import { parseQuery } from "../../host/query/parse.ts";
import type { QueryNode } from "../../host/query/tree.ts";

export const startMs = Date.parse("2026-03-01T10:00:00Z");

/** Folders of one test file, gone afterwards. */
export function folders(): (name: string) => string {
  const root = mkdtempSync(join(tmpdir(), "vespid-search-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return (name) => join(root, name);
}

export function node(text: string): QueryNode {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problems[0]!.message}`);
  return parsed.node;
}

/** The same numbers for the same seed. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed * 2_654_435_761 || 1;
  }
  next(): number {
    this.#state = (Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 12), 0x297a2d39);
    return ((t ^ (t >>> 15)) >>> 0) / 0x1_0000_0000;
  }
  below(count: number): number {
    return Math.floor(this.next() * count);
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** A log as whoever walks over all of them, one by one, finds it. */
export interface PlainLog {
  readonly id: string;
  readonly timeMs: number;
  readonly event: LogEvent;
}

/** Every log of a journal, the slow and obvious way: each line read as an object. */
export async function allLogs(journal: Journal, pipelines: readonly Pipeline[] = []): Promise<PlainLog[]> {
  const out: PlainLog[] = [];
  for await (const entry of journal.read({ segment: 0, entry: 0 })) out.push(...plainLogs(entry, pipelines));
  return out;
}

function plainLogs(entry: StoredEntry, pipelines: readonly Pipeline[]): PlainLog[] {
  const reader = new EventReader(pipelines);
  const isText = entry.profile.format === "text" || entry.profile.format === "syslog";
  const lines = Buffer.from(entry.bytes).toString().split("\n").filter((line) => line.trim() !== "" && (isText || isObject(line)));
  return lines.map((line, row) => {
    const event = reader.event(Buffer.from(line), entry.profile, entry.arrivalMs);
    const own = readTimestamp(event.timestamp, entry.arrivalMs);
    const latest = entry.arrivalMs + (entry.profile.clampAheadMs ?? Infinity);
    return { id: `${entry.position.segment}-${entry.position.entry}-${row}`, event, timeMs: own === undefined || own > latest ? entry.arrivalMs : own };
  });
}

function isObject(line: string): boolean {
  try {
    return typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
}

/** In the order of a search. */
export function ordered(logs: readonly PlainLog[], order: "newest" | "oldest"): PlainLog[] {
  const key = (log: PlainLog): number[] => [log.timeMs, ...log.id.split("-").map(Number)];
  const compare = (a: PlainLog, b: PlainLog): number => {
    const [left, right] = [key(a), key(b)];
    const at = left.findIndex((part, i) => part !== right[i]);
    return at < 0 ? 0 : left[at]! - right[at]!;
  };
  return [...logs].sort((a, b) => (order === "newest" ? compare(b, a) : compare(a, b)));
}

export interface Asked {
  readonly query: QueryNode;
  readonly fromMs?: number;
  readonly toMs?: number;
}

export function filtered(logs: readonly PlainLog[], { query, fromMs = -Infinity, toMs = Infinity }: Asked): PlainLog[] {
  return logs.filter(({ event, timeMs }) => timeMs >= fromMs && timeMs < toMs && matches(query, event));
}

export function entry(text: string, more: Partial<JournalEntry> & { readonly profile?: InputProfile } = {}): JournalEntry {
  return { profile: { format: "intake" }, arrivalMs: startMs, partition: "http", bytes: Buffer.from(text), ...more };
}

export function lines(...records: readonly unknown[]): string {
  return `${records.map((record) => JSON.stringify(record)).join("\n")}\n`;
}
