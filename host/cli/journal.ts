import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { FolderReport, SegmentReport } from "../journal/check.ts";
import type { Damage, JournalPosition } from "../journal/contract.ts";
import { UsageError } from "./problems.ts";
import { byteSize, count, jsonLine, plural, safe, styled, table, timeText } from "./text.ts";

/** `vespid journal verify|stat|cat`: looks at a journal's folder, also while a server writes there, and changes nothing. */
export function journalCommand(vespid: Command): void {
  const journal = vespid.command("journal").description("look at a journal: is it whole, what is in it")
    .addHelpText("after", "\nExamples:\n  $ vespid journal verify data/journal\n  $ vespid journal cat data/journal --from 12:0 | head");
  const end = async (outcome: Promise<number>): Promise<void> => {
    process.exitCode = await outcome;
  };
  journal.command("verify").description("read every byte and say what is damaged").argument("<folder>", "the journal's folder")
    .option("--json", "print the outcome as one JSON object")
    .addHelpText("after", "\nExamples:\n  $ vespid journal verify data/journal\n\nExit codes: 0 all is whole, 1 something is damaged or missing, 2 the folder cannot be read.")
    .action((folder: string, options: { json?: boolean }) => end(journalVerify(folder, options)));
  journal.command("stat").description("what each segment holds").argument("<folder>", "the journal's folder")
    .option("--json", "print it as one JSON object")
    .addHelpText("after", "\nExamples:\n  $ vespid journal stat data/journal")
    .action((folder: string, options: { json?: boolean }) => end(journalStat(folder, options)));
  journal.command("cat").description("print what was taken, as it came").argument("<folder>", "the journal's folder")
    .option("--from <segment:entry>", "begin here")
    .option("--to <segment:entry>", "end before this")
    .option("--source <name>", "only entries of this source")
    .option("--limit <n>", "so many entries at most")
    .option("--json", "print one entry a line: segment, entry, arrival_ms, partition, profile, text")
    .addHelpText("after", "\nExamples:\n  $ vespid journal cat data/journal --source nginx > nginx.log\n  $ vespid journal cat data/journal --json --from 12:340 --limit 1\n\nExit codes: 0 done, 1 damage was passed over, 2 the folder cannot be read.")
    .action((folder: string, options: CatOptions) => end(journalCat(folder, options)));
}

function known(folder: string): string {
  if (!existsSync(folder)) throw new UsageError(`${safe(folder)}: there is no such folder`);
  return folder;
}

/** `vespid journal verify`: exit code 1 when anything is damaged or missing. */
export async function journalVerify(folder: string, options: { readonly json?: boolean }): Promise<number> {
  const { checkFolder } = await import("../journal/check.ts");
  const report = await checkFolder(known(folder), "all");
  const damage = report.segments.flatMap((segment) => segment.damage);
  const wrong = report.segments.filter((segment) => segment.indexState === "wrong");
  const faults = damage.length + report.missing.length + wrong.length;
  const lost = damage.some((each) => each.entries === undefined) ? undefined : damage.reduce((sum, each) => sum + each.entries!, 0);
  if (options.json) {
    process.stdout.write(jsonLine({ whole: faults === 0, entries: total(report, "entries"), bytes: total(report, "bytes"), lost_entries: lost ?? null, being_written: report.beingWritten, missing_segments: report.missing, torn: report.torn, segments: report.segments.map(segmentJson) }));
    return faults ? 1 : 0;
  }
  showSegments(report, true);
  for (const each of damage) process.stdout.write(`${styled("red", "DAMAGE")} ${damageText(each)}\n`);
  for (const number of report.missing) process.stdout.write(`${styled("red", "DAMAGE")} segment ${number} is missing, though there are some before and after it\n`);
  for (const { index } of wrong) process.stdout.write(`${styled("red", "DAMAGE")} the index of segment ${index.segment} tells of something else than is there; delete it, it is made again at the next start\n`);
  showNotes(report);
  const all = `${plural(total(report, "entries"), "entry", "entries")} in ${plural(report.segments.length, "segment")}`;
  process.stdout.write(faults ? `${styled("red", "damaged")}: ${plural(faults, "fault")}; ${all} can be read, ${lost === undefined ? "how many are lost cannot be told" : `${count(lost)} ${lost === 1 ? "is" : "are"} lost`}\n` : `${styled("green", "whole")}: ${all}\n`);
  return faults ? 1 : 0;
}

/** `vespid journal stat`. */
export async function journalStat(folder: string, options: { readonly json?: boolean }): Promise<number> {
  const { checkFolder } = await import("../journal/check.ts");
  const report = await checkFolder(known(folder), "index");
  const sources = new Map<string, number>();
  for (const { index } of report.segments) for (const [name, entries] of index.sources) sources.set(name, (sources.get(name) ?? 0) + entries);
  const bySize = [...sources].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (options.json) {
    process.stdout.write(jsonLine({ entries: total(report, "entries"), bytes: total(report, "bytes"), raw_bytes: total(report, "rawBytes"), being_written: report.beingWritten, torn: report.torn, sources: Object.fromEntries(bySize), segments: report.segments.map(segmentJson) }));
    return 0;
  }
  showSegments(report, false);
  showNotes(report);
  if (bySize.length > 0) process.stdout.write(`\n${table(["source", { name: "entries", align: "right" }], bySize.slice(0, 20).map(([name, entries]) => [name === "" ? "(named by the events, or not at all)" : safe(name), count(entries)]))}\n`);
  if (bySize.length > 20) process.stdout.write(`and ${plural(bySize.length - 20, "other source")}\n`);
  return 0;
}

function total(report: FolderReport, what: "entries" | "bytes" | "rawBytes"): number {
  return report.segments.reduce((sum, { index }) => sum + index[what], 0);
}

function showSegments(report: FolderReport, withState: boolean): void {
  if (report.segments.length === 0) return;
  const right = ["entries", "frames", "bytes", "unpacked"].map((name) => ({ name, align: "right" as const }));
  const rows = report.segments.map(({ index, damage, ...segment }) => [
    String(index.segment), count(index.entries), count(index.frames), byteSize(segment.fileBytes), byteSize(index.rawBytes),
    index.entries ? timeText(index.firstArrivalMs) : "-", index.entries ? timeText(index.lastArrivalMs) : "-",
    segment.indexState, ...(withState ? [damage.length ? "damaged" : "whole"] : []),
  ]);
  const heads = [{ name: "segment", align: "right" as const }, ...right, "first arrival", "last arrival", "index", ...(withState ? ["state"] : [])];
  process.stdout.write(`${table(heads, rows, (text, _row, column) => (column === 8 && text.startsWith("damaged") ? styled("red", text) : text))}\n`);
}

function showNotes(report: FolderReport): void {
  for (const { index, leftoverBytes, growingBytes } of report.segments) {
    if (leftoverBytes) process.stdout.write(`note: segment ${index.segment} ends with ${plural(leftoverBytes, "byte")} of a write that failed; they were never acknowledged\n`);
    if (growingBytes) process.stdout.write(`note: segment ${index.segment} ends with ${plural(growingBytes, "byte")} that are being written\n`);
  }
  for (const { name, bytes } of report.torn) process.stdout.write(`note: ${name} keeps ${plural(bytes, "byte")} that recovery cut off\n`);
  if (report.beingWritten) process.stdout.write("note: a process is writing this journal now\n");
}

const reasons: Readonly<Record<Damage["reason"], string>> = {
  short: "a frame is not whole: a process died while writing it, before it was acknowledged, or its end was lost",
  head: "no frame can be read here",
  payload: "the checksum is wrong",
  order: "entries do not follow those before",
};

function damageText(damage: Damage): string {
  const lost = damage.entries === undefined ? "how many entries is unknown" : damage.entries === 0 ? "no entry is lost" : `${plural(damage.entries, "entry", "entries")} lost`;
  return `segment ${damage.segment}, ${plural(damage.bytes, "byte")} at ${count(damage.offset)}: ${reasons[damage.reason]}; ${lost}`;
}

function segmentJson({ index, damage, fileBytes, indexState, leftoverBytes, growingBytes }: SegmentReport): Record<string, unknown> {
  return {
    segment: index.segment, entries: index.entries, frames: index.frames, bytes: fileBytes, raw_bytes: index.rawBytes, index: indexState,
    first_arrival_ms: index.entries ? index.firstArrivalMs : null, last_arrival_ms: index.entries ? index.lastArrivalMs : null,
    leftover_bytes: leftoverBytes, growing_bytes: growingBytes,
    damage: damage.map(({ offset, bytes, reason, entries }) => ({ offset, bytes, reason, lost_entries: entries ?? null })),
  };
}

interface CatOptions {
  readonly from?: string;
  readonly to?: string;
  readonly source?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

/** `vespid journal cat`: exit code 1 when damage was passed over. */
export async function journalCat(folder: string, options: CatOptions): Promise<number> {
  const [{ readFolder }, { readPosition }] = await Promise.all([import("../journal/check.ts"), import("../journal/contract.ts")]);
  const place = (name: "from" | "to", otherwise: JournalPosition): JournalPosition => {
    const text = options[name];
    if (text === undefined) return otherwise;
    const read = readPosition(text);
    if (!read) throw new UsageError(`--${name} ${safe(text)} is no place in a journal; use segment:entry, such as 12:340`);
    return read;
  };
  const limit = options.limit === undefined ? Infinity : Number(options.limit);
  if (!(limit >= 0)) throw new UsageError(`--limit ${safe(options.limit!)} is no number`);
  let damaged = false;
  const entries = readFolder(known(folder), place("from", { segment: 0, entry: 0 }), place("to", { segment: Infinity, entry: 0 }), (damage) => {
    damaged = true;
    process.stderr.write(`${styled("red", "DAMAGE", process.stderr)} ${damageText(damage)}\n`);
  });
  let shown = 0;
  if (limit > 0) {
    for await (const entry of entries) {
      if (options.source !== undefined && entry.profile.source !== options.source) continue;
      await print(options.json ? jsonLine({ segment: entry.position.segment, entry: entry.position.entry, arrival_ms: entry.arrivalMs, partition: entry.partition, profile: entry.profile, text: text(entry.bytes) }) : asItCame(entry.bytes));
      if (++shown >= limit) break;
    }
  }
  return damaged ? 1 : 0;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The bytes themselves into a file or pipe; on a terminal, what cannot drive it. */
function asItCame(bytes: Uint8Array): Uint8Array | string {
  const ended = bytes.at(-1) === 10;
  if (process.stdout.isTTY) return `${text(ended ? bytes.subarray(0, -1) : bytes).split("\n").map(safe).join("\n")}\n`;
  return ended ? bytes : Buffer.concat([bytes, Buffer.from("\n")]);
}

/** Waits for a slow reader, so that memory stays flat. */
function print(what: Uint8Array | string): Promise<void> | undefined {
  if (process.stdout.write(what)) return undefined;
  return new Promise((resolve) => process.stdout.once("drain", resolve));
}
