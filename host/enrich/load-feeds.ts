import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { IntelData } from "../event/enrichment/intel-table.ts";
import type { Problem } from "../problem.ts";
import { type Feed, type FeedCounts, readFeed } from "./feed.ts";
import { IntelBuilder, type IntelTextKind } from "./intel-builder.ts";

/** A feed and the file its content is in. */
export interface FeedFile extends Feed {
  readonly path: string;
}

/** An indicator that somebody uploaded. */
export interface UploadedIndicator {
  readonly vendor: string;
  readonly kind: IntelTextKind;
  readonly value: string;
  /** JSON of an `IntelDetail`. */
  readonly detail: string;
  readonly expiresMs: number | undefined;
}

export interface LoadedFeed extends FeedCounts {
  readonly name: string;
}

export interface LoadedFeeds {
  /** Undefined where nothing is listed. */
  readonly data: IntelData | undefined;
  /** Of the files, in their order; one that cannot be read has none. */
  readonly feeds: readonly LoadedFeed[];
  readonly problems: readonly Problem[];
}

/** Unpacked; a million URLs take a quarter of it. */
const MOST_BYTES = 384 * 1024 * 1024;

/** One table of all feeds. What cannot be read is told, and costs that feed alone. */
export function loadFeeds(files: readonly FeedFile[], uploaded: Iterable<UploadedIndicator> = []): LoadedFeeds {
  const builder = new IntelBuilder();
  const problems: Problem[] = [];
  const feeds: LoadedFeed[] = [];
  const hash = createHash("sha256");
  files.forEach(({ path, ...feed }, number) => {
    const bytes = contentOf(path, feed.name, problems);
    if (!bytes) return;
    hash.update(JSON.stringify([feed, bytes.length])).update(bytes);
    feeds.push({ name: feed.name, ...readFeed(builder, number, feed, bytes.toString("utf8"), problems) });
  });
  const vendors = new Map<string, number>();
  for (const { vendor, kind, value, detail, expiresMs } of uploaded) {
    let number = vendors.get(vendor);
    if (number === undefined) vendors.set(vendor, (number = files.length + vendors.size));
    hash.update(JSON.stringify([vendor, kind, value, detail, expiresMs]));
    builder.add(number, kind, value, detail, expiresMs);
  }
  return { data: builder.size ? builder.finish(hash.digest("hex").slice(0, 16)) : undefined, feeds, problems };
}

function contentOf(path: string, name: string, problems: Problem[]): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes;
    if (plain.length <= MOST_BYTES) return plain;
    problems.push({ code: "intel/too-large", file: path, message: `feed ${name} has more than ${MOST_BYTES >> 20} MB`, hint: "part it into several feeds" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    problems.push({ code: "intel/unreadable", file: path, message: `feed ${name} cannot be read: ${code === "ENOENT" ? "no such file" : message}`, hint: "name a file of indicators: CSV, a STIX 2.1 bundle or a list, plain or packed by gzip" });
  }
  return undefined;
}
