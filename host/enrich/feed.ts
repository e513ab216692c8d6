import type { Json } from "../event/event.ts";
import type { IntelDetail } from "../event/enrichment/intel-table.ts";
import type { Problem } from "../problem.ts";
import { csvRows } from "./csv.ts";
import { type IntelBuilder, type IntelTextKind, kindOfText } from "./intel-builder.ts";
import { readStix } from "./stix.ts";

export const feedFormats = ["csv", "stix", "list"] as const;
export type FeedFormat = (typeof feedFormats)[number];

/** What a feed is called, and what its indicators say where the file says nothing of it. */
export interface Feed {
  readonly name: string;
  /** Shown beside the name where the feed came from an address. */
  readonly url?: string;
  /** Told from the content when absent. */
  readonly format?: FeedFormat;
  readonly category?: string;
  readonly intention?: string;
}

export interface FeedCounts {
  readonly indicators: number;
  readonly repeated: number;
  readonly invalid: number;
}

/** Names a key column may have, and what stands in it; undefined: told row by row. */
const keyColumns: ReadonlyArray<readonly [string, IntelTextKind | undefined]> = [
  ["ip_address", "ip"], ["ip", "ip"], ["cidr", "ip"], ["domain", "domain"], ["url", "url"], ["sha256", "hash"], ["sha1", "hash"], ["md5", "hash"], ["hash", "hash"],
  ["indicator", undefined], ["value", undefined],
];
const DEFAULT_CATEGORY = "custom";
const DEFAULT_INTENTION = "suspicious";
const NAMED = 3;

/** Puts the indicators of one feed's text into a table. Of what cannot be read the first few are told. */
export function readFeed(builder: IntelBuilder, number: number, feed: Feed, text: string, problems: Problem[]): FeedCounts {
  const taker = new Taker(builder, number, feed);
  const format = feed.format ?? formatOf(text);
  if (format === "stix") takeStix(taker, text, problems);
  else if (format === "csv") takeCsv(taker, text, problems);
  else takeList(taker, text);
  if (taker.invalid.length) {
    problems.push({
      code: "intel/bad-indicator", level: "warning", file: feed.name, line: taker.invalid[0]!.line,
      message: `${taker.counts.invalid} of the feed's rows are no indicators, such as ${taker.invalid.map(({ text: bad }) => JSON.stringify(bad.slice(0, 60))).join(", ")}`,
      hint: "an indicator is an IP address, a block of them, a domain, a URL, or an MD5, SHA-1 or SHA-256",
    });
  }
  return taker.counts;
}

/** Counts what becomes of indicators, and spells their details. */
class Taker {
  readonly #builder: IntelBuilder;
  readonly #number: number;
  readonly feed: Feed;
  readonly counts = { indicators: 0, repeated: 0, invalid: 0 };
  readonly invalid: Array<{ readonly line: number; readonly text: string }> = [];

  constructor(builder: IntelBuilder, number: number, feed: Feed) {
    this.#builder = builder;
    this.#number = number;
    this.feed = feed;
  }

  take(kind: IntelTextKind | undefined, text: string, detail: string, expiresMs: number | undefined, line: number): void {
    const became = this.#builder.add(this.#number, kind, text, detail, expiresMs);
    if (became === "added") this.counts.indicators++;
    else if (became === "repeated") this.counts.repeated++;
    else this.bad(text, line);
  }

  bad(text: string, line: number): void {
    this.counts.invalid++;
    if (this.invalid.length < NAMED) this.invalid.push({ line, text });
  }

  detail(given: Partial<IntelDetail>): string {
    const { name, url, category = DEFAULT_CATEGORY, intention = DEFAULT_INTENTION } = this.feed;
    const detail: IntelDetail = {
      category: given.category || category, intention: given.intention || intention, ...(given.subcategory ? { subcategory: given.subcategory } : {}),
      source: given.source ?? { name, ...(url === undefined ? {} : { url }) }, ...(given.additional_data === undefined ? {} : { additional_data: given.additional_data }),
    };
    return JSON.stringify(detail);
  }
}

/** JSON is STIX; a first line that names a key column is CSV; else each line is an indicator. */
export function formatOf(text: string): FeedFormat {
  if (/^\uFEFF?\s*[{[]/.test(text)) return "stix";
  const end = text.indexOf("\n");
  const head = (end < 0 ? text : text.slice(0, end)).replace(/^\uFEFF/, "").trim().toLowerCase().split(",").map((cell) => cell.replace(/^"|"$/g, "").trim());
  return keyColumns.some(([name]) => head.includes(name)) ? "csv" : "list";
}

function takeList(taker: Taker, text: string): void {
  const detail = taker.detail({});
  let line = 0;
  for (let at = 0; at < text.length;) {
    line++;
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    // Lists say more behind the indicator: a count, a comment.
    const found = /^[\s\uFEFF]*([^\s#;,]+)/.exec(text.slice(at, end))?.[1];
    at = end + 1;
    if (found !== undefined) taker.take(kindOfText(found), found, detail, undefined, line);
  }
}

function takeCsv(taker: Taker, text: string, problems: Problem[]): void {
  let columns: CsvColumns | undefined;
  let plain: string | undefined;
  const details = new Map<string, string>();
  for (const { cells, line } of csvRows(text)) {
    if (!columns) {
      columns = columnsOf(cells);
      if (columns) continue;
      problems.push({ code: "intel/no-key", file: taker.feed.name, line, message: "the first row names no column of indicators", hint: `call it one of ${keyColumns.map(([name]) => name).join(" ")}` });
      return;
    }
    const key = cells[columns.key];
    if (key === undefined || key.trim() === "") continue;
    let expiresMs: number | undefined;
    let detail: string;
    if (columns.isPlain) detail = plain ??= taker.detail({});
    else {
      const validUntil = textAt(cells, columns.validUntil);
      expiresMs = validUntil === undefined ? undefined : Date.parse(validUntil);
      if (Number.isNaN(expiresMs)) {
        taker.bad(validUntil!, line);
        continue;
      }
      // Most rows of a feed say the same.
      const said = columns.others.map((i) => cells[i] ?? "").join("\u0000");
      detail = details.get(said) ?? taker.detail(detailOf(cells, columns));
      if (details.size < DETAILS_KEPT) details.set(said, detail);
    }
    taker.take(columns.kind, key, detail, expiresMs, line);
  }
}

const DETAILS_KEPT = 10_000;

interface CsvColumns {
  readonly key: number;
  readonly kind: IntelTextKind | undefined;
  readonly category: number;
  readonly intention: number;
  readonly subcategory: number;
  readonly source: number;
  readonly additional: number;
  readonly validUntil: number;
  readonly others: readonly number[];
  readonly isPlain: boolean;
}

function columnsOf(head: readonly string[]): CsvColumns | undefined {
  const names = head.map((name) => name.replace(/^\uFEFF/, "").trim().toLowerCase());
  const named = keyColumns.find(([name]) => names.includes(name));
  if (!named) return undefined;
  const at = (name: string): number => names.indexOf(name);
  const others = ["category", "intention", "subcategory", "source", "additional_data"].map(at).filter((i) => i >= 0);
  return {
    key: at(named[0]), kind: named[1], category: at("category"), intention: at("intention"), subcategory: at("subcategory"), source: at("source"),
    additional: at("additional_data"), validUntil: at("valid_until"), others, isPlain: others.length === 0 && at("valid_until") < 0,
  };
}

function textAt(cells: readonly string[], column: number): string | undefined {
  const text = column < 0 ? undefined : cells[column]?.trim();
  return text === "" ? undefined : text;
}

function detailOf(cells: readonly string[], columns: CsvColumns): Partial<IntelDetail> {
  const source = jsonOf(textAt(cells, columns.source));
  const additional = jsonOf(textAt(cells, columns.additional));
  return {
    category: textAt(cells, columns.category), intention: textAt(cells, columns.intention), subcategory: textAt(cells, columns.subcategory),
    ...(source === undefined ? {} : { source: sourceOf(source) }), ...(additional === undefined ? {} : { additional_data: additional }),
  };
}

/** JSON, or else the text itself. */
function jsonOf(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function sourceOf(source: Json): IntelDetail["source"] {
  if (typeof source !== "object" || source === null || Array.isArray(source)) return { name: String(source) };
  const { name, url } = source;
  return { name: typeof name === "string" ? name : "", ...(typeof url === "string" ? { url } : {}) };
}

function takeStix(taker: Taker, text: string, problems: Problem[]): void {
  const bundle = readStix(text);
  if ("problem" in bundle) {
    problems.push({ ...bundle.problem, file: taker.feed.name });
    return;
  }
  // In a file the later of two objects of one id counts.
  const latest = new Map(bundle.indicators.map((indicator) => [indicator.id, indicator]));
  for (const { isRevoked, intention, additional, values, expiresMs } of latest.values()) {
    if (isRevoked) continue;
    const detail = taker.detail({ intention, ...(additional ? { additional_data: additional } : {}) });
    for (const { kind, value } of values) taker.take(kind, value, detail, expiresMs, 1);
  }
  taker.counts.invalid += bundle.invalid;
}
