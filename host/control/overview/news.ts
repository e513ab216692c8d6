import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { NewsData } from "../../insight/overview-model.ts";
import { releases } from "../../news.ts";

type Entry = NewsData["entries"][number];

/** What an operator puts into the data folder for the page to show: `[{ "title", "date", "url", "summary" }]`. */
const FEED = "news.json";
const MOST_FEED_BYTES = 1024 * 1024;
const MOST_TEXT = 2000;

/** Release notes and what the feed's file has, newest first; what has no date is of the program that runs, and stands first. */
export function newsOf(folder: string): Entry[] {
  const notes = releases().map(({ version, date, changes }): Entry => ({ kind: "release", title: `Vespid ${version}`, ...(date === undefined ? {} : { date }), items: changes, href: `/release-notes#${encodeURIComponent(version)}` }));
  return [...notes, ...feedOf(join(folder, FEED))].sort((a, b) => compareDates(b.date, a.date));
}

function compareDates(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
  return a < b ? -1 : 1;
}

/** Entries that can be read; a file that is none, or too long, has none. */
function feedOf(path: string): Entry[] {
  if (!existsSync(path) || statSync(path).size > MOST_FEED_BYTES) return [];
  let wire: unknown;
  try {
    wire = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return [];
  }
  return Array.isArray(wire) ? wire.flatMap(entryOf) : [];
}

function entryOf(wire: unknown): Entry[] {
  if (typeof wire !== "object" || wire === null) return [];
  const { title, date, url, summary } = wire as Record<string, unknown>;
  // An address of another kind, such as javascript:, would be a page's own.
  if (typeof title !== "string" || title === "" || typeof url !== "string" || !/^https?:\/\/[^\s]+$/i.test(url)) return [];
  const isDated = typeof date === "string" && /^\d{4}-\d{2}-\d{2}/.test(date) && !Number.isNaN(Date.parse(date));
  return [{ kind: "research", title: title.slice(0, MOST_TEXT), ...(isDated ? { date: date.slice(0, 10) } : {}), items: typeof summary === "string" && summary !== "" ? [summary.slice(0, MOST_TEXT)] : [], href: url }];
}
