import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Damage, JournalEntry, JournalPosition, StoredEntry } from "../../host/journal/contract.ts";
import { listFolder, segmentPath } from "../../host/journal/segment.ts";
import { random } from "./support-plain.ts";
import type { Journal } from "../../host/journal/journal.ts";

export const arrivalMs = Date.parse("2026-03-01T10:00:00Z");
export const profile = { format: "raw", source: "nginx" } as const;

export function entry(text: string, more: Partial<JournalEntry> = {}): JournalEntry {
  return { profile, arrivalMs, partition: "http", bytes: Buffer.from(text), ...more };
}

/** An entry nothing compresses. */
export function noise(length: number, seed: number, more: Partial<JournalEntry> = {}): JournalEntry {
  const next = random(seed);
  return entry("", { bytes: Buffer.from(Array.from({ length }, () => Math.floor(next() * 256))), ...more });
}

export function textOf(stored: { readonly bytes: Uint8Array }): string {
  return Buffer.from(stored.bytes).toString();
}

export const beginning: JournalPosition = { segment: 0, entry: 0 };

export interface Everything {
  readonly entries: StoredEntry[];
  readonly damage: Damage[];
}

export async function everything(journal: Journal, from: JournalPosition = beginning, to?: JournalPosition): Promise<Everything> {
  const damage: Damage[] = [];
  const entries: StoredEntry[] = [];
  for await (const each of journal.read(from, to, (what) => damage.push(what))) entries.push(each);
  return { entries, damage };
}

export async function texts(journal: Journal, from?: JournalPosition, to?: JournalPosition): Promise<string[]> {
  return (await everything(journal, from, to)).entries.map(textOf);
}

/** Folders of one test file, gone afterwards. */
export function folders(): (name: string) => string {
  const root = mkdtempSync(join(tmpdir(), "vespid-journal-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return (name) => join(root, name);
}

export function lastSegmentPath(folder: string): string {
  return segmentPath(folder, listFolder(folder).segments.at(-1)!);
}

export function flipBit(path: string, bit: number): void {
  const bytes = readFileSync(path);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  writeFileSync(path, bytes);
}
