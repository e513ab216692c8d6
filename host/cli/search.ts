import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../atomic-file.ts";
import { plainQueries } from "../matcher.ts";
import { readField } from "../query/field.ts";
import { parseQuery } from "../query/parse.ts";
import { readExclusions } from "../search/exclusions.ts";
import type { FoundLog, LogSearch, SearchAnswer } from "../search/log-search.ts";
import type { TallyAnswer } from "../search/tally.ts";
import { type PipelineOptions, choosePipelines } from "./pipelines.ts";
import { UsageError, problemText } from "./problems.ts";
import { bar, byteSize, count, cut, jsonLine, plural, safe, styled, table, timeText } from "./text.ts";

export interface SearchOptions extends PipelineOptions {
  readonly data: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
  readonly sort: "newest" | "oldest";
  readonly facet?: readonly string[];
  readonly histogram?: string;
  readonly count?: boolean;
  readonly cursor?: string;
  readonly id?: string;
  readonly json?: boolean;
  readonly stats?: boolean;
  readonly index?: boolean;
  readonly all?: boolean;
}

/** `vespid search`: exit code 1 when nothing was found. */
export async function search(queryText: string, options: SearchOptions): Promise<number> {
  const parsed = parseQuery(queryText);
  if (!parsed.ok) throw new UsageError(parsed.problems.map((problem) => problemText(problem, queryText)).join("\n"));
  const [{ LogSearch: Search }, { readInterval, readTimeBound }] = await Promise.all([import("../search/log-search.ts"), import("../search/time-text.ts")]);
  const { all } = await choosePipelines({ pipelines: options.pipelines, pack: options.pack ?? ["all"], geoip: options.geoip }, plainQueries([parsed.node]));
  const nowMs = Date.now();
  const bound = (name: "from" | "to"): number | undefined => (options[name] === undefined ? undefined : readTimeBound(options[name], nowMs, `--${name}`));
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 0) throw new UsageError(`--limit ${safe(options.limit)} is no number of logs`);
  const facets = options.facet ?? [];
  const intervalMs = options.histogram === undefined ? undefined : readInterval(options.histogram, "--histogram");
  const excluded = options.all ? [] : keptExclusions(options.data);
  const logs = new Search(journalFolder(options.data), { pipelines: all, exclusions: readExclusions(excluded).exclusions });
  try {
    if (options.index) await tend(logs);
    if (options.id !== undefined) return await exportOne(logs, options.id);
    const found = await logs.search({
      query: parsed.node, fromMs: bound("from"), toMs: bound("to"), sort: options.sort, limit: options.count ? 0 : limit, cursor: options.cursor,
      tallies: [
        ...(options.count ? [{ fields: [] }] : []),
        ...(intervalMs === undefined ? [] : [{ fields: [], intervalMs }]),
        ...facets.map((facet) => ({ fields: [readField(facet)] })),
      ],
    });
    const print = options.json ? printJson : printText;
    await print(found, options);
    if (options.stats) process.stderr.write(statsText(found));
    if (found.damaged) process.stderr.write(`${styled("yellow", "warning", process.stderr)} ${plural(found.damaged, "place")} of the journal cannot be read; see vespid journal verify\n`);
    if (excluded.length) process.stderr.write(`left out by the server's settings: ${excluded.map(safe).join(", ")}; --all shows it\n`);
    const counted = found.tallies.some(({ groups, missing }) => groups.length > 0 || missing > 0);
    return found.logs.length > 0 || counted ? 0 : 1;
  } finally {
    await logs.close();
  }
}

const EXCLUSIONS_FILE = "search.json";

/** For searches of other processes over the same data folder. */
export function keepExclusions(data: string, exclusions: readonly string[]): void {
  const path = join(data, EXCLUSIONS_FILE);
  if (exclusions.length) writeAtomically(path, Buffer.from(`${JSON.stringify({ exclusions })}\n`));
  else rmSync(path, { force: true });
}

function keptExclusions(data: string): readonly string[] {
  try {
    return (JSON.parse(readFileSync(join(data, EXCLUSIONS_FILE), "utf8")) as { exclusions: readonly string[] }).exclusions;
  } catch {
    return [];
  }
}

function journalFolder(data: string): string {
  const inside = join(data, "journal");
  return existsSync(inside) ? inside : data;
}

async function tend(logs: LogSearch): Promise<void> {
  const { segments, bytes } = await logs.tend();
  process.stderr.write(`indexed ${plural(segments, "segment")}, ${byteSize(bytes)} of logs\n`);
}

/** The log alone, to be put into a rule's `tests`. */
async function exportOne(logs: LogSearch, id: string): Promise<number> {
  const { testLog } = await import("../search/show.ts");
  const log = await logs.log(id);
  if (!log) {
    process.stderr.write(`vespid: there is no log ${safe(id)}, or it is kept no more\n`);
    return 1;
  }
  process.stdout.write(jsonLine(testLog(log)));
  return 0;
}

async function printJson(found: SearchAnswer, options: SearchOptions): Promise<void> {
  const { apiLog } = await import("../search/show.ts");
  for (const log of found.logs) process.stdout.write(jsonLine(apiLog(log)));
  const { total, histogram, facets } = counted(found, options);
  if (!total && !histogram && !facets.length && found.cursor === undefined && found.complete) return;
  process.stdout.write(jsonLine({
    ...(total ? { count: countOf(total) } : {}),
    ...(histogram ? { histogram: histogram.groups[0]?.buckets.map(({ fromMs, count: logs }) => ({ time: new Date(fromMs).toISOString(), count: logs })) ?? [] } : {}),
    ...(facets.length ? { facets: facets.map(({ fields, groups, missing, beyond }) => ({ facet: fields[0], values: groups.map(({ values, count: logs }) => ({ value: values[0], count: logs })), missing, ...(beyond ? { beyond } : {}) })) } : {}),
    ...(found.cursor === undefined ? {} : { cursor: found.cursor }),
  }));
}

interface Counted {
  readonly total: TallyAnswer | undefined;
  readonly histogram: TallyAnswer | undefined;
  readonly facets: readonly TallyAnswer[];
}

function counted({ tallies }: SearchAnswer, options: SearchOptions): Counted {
  const rest = [...tallies];
  return { total: options.count ? rest.shift() : undefined, histogram: options.histogram === undefined ? undefined : rest.shift(), facets: rest };
}

function countOf(total: TallyAnswer): number {
  return total.groups[0]?.count ?? 0;
}

const SHOWN_VALUES = 20;
const BAR_CELLS = 30;
const LEAST_MESSAGE = 20;

function printText(found: SearchAnswer, options: SearchOptions): void {
  const { total, histogram, facets } = counted(found, options);
  const parts: string[] = [];
  if (total) parts.push(String(countOf(total)));
  if (found.logs.length) parts.push(logTable(found.logs));
  if (histogram) {
    const buckets = histogram.groups[0]?.buckets ?? [];
    const most = buckets.reduce((highest, each) => Math.max(highest, each.count), 0);
    parts.push(table(["from", { name: "logs", align: "right" }, ""], buckets.map(({ fromMs, count: logs }) => [timeText(fromMs), count(logs), bar(logs / most, BAR_CELLS)])));
  }
  for (const { fields, groups, missing, beyond } of facets) {
    const rows = groups.slice(0, SHOWN_VALUES).map(({ values, count: logs }) => [count(logs), cut(safe(values[0]!), 100)]);
    parts.push([
      table([{ name: "logs", align: "right" }, safe(fields[0]!)], rows),
      ...(groups.length > SHOWN_VALUES ? [`and ${plural(groups.length - SHOWN_VALUES, "other value")}`] : []),
      ...(missing ? [`${plural(missing, "log")} without`] : []),
      ...(beyond ? [`${plural(beyond, "log")} of values that there was no room for`] : []),
    ].join("\n"));
  }
  if (parts.length) process.stdout.write(`${parts.join("\n\n")}\n`);
  if (found.cursor !== undefined && !options.count) process.stderr.write(`there are more: --cursor ${found.cursor}\n`);
}

function logTable(logs: readonly FoundLog[]): string {
  const rows = logs.map(({ id, timeMs, event }) => [timeText(timeMs), id, event.status ?? "", ...[event.source, event.host, event.service].map((each) => cut(safe(each ?? ""), 24)), safe(messageOf(event))]);
  const width = process.stdout.isTTY ? (process.stdout.columns ?? 120) : undefined;
  if (width !== undefined) {
    const used = [0, 1, 2, 3, 4, 5].reduce((sum, column) => sum + 2 + rows.reduce((widest, row) => Math.max(widest, row[column]!.length), 4), 0);
    for (const row of rows) row[6] = cut(row[6]!, Math.max(LEAST_MESSAGE, width - used));
  }
  return table(["time", "id", "status", "source", "host", "service", "message"], rows);
}

/** An event that says nothing is shown by what it holds. */
function messageOf({ message, attributes }: FoundLog["event"]): string {
  return message ?? JSON.stringify(attributes ?? {});
}

function statsText({ cost }: SearchAnswer): string {
  return `${Math.round(cost.ms)} ms: read ${byteSize(cost.scannedBytes)} of logs (${plural(cost.events, "event")}), passed over ${byteSize(cost.skippedBytes)}: ${count(cost.skippedStretches)} of ${plural(cost.stretches, "stretch", "stretches")}, ${count(cost.skippedSegments)} of ${plural(cost.segments, "segment")}; ${byteSize(cost.unindexedBytes)} of the journal without an index\n`;
}
