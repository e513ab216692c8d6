import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import type { GeoipData, GeoipFile } from "../event/enrichment/geoip-table.ts";
import type { Problem } from "../problem.ts";
import { checkMmdb } from "./geoip-check.ts";

/** A sound database, and a name of its content. */
export interface LoadedGeoip {
  readonly path: string;
  readonly file: GeoipFile;
  readonly version: string;
}

/** The largest that are offered have about 400 MB. */
const MOST_BYTES = 1024 * 1024 * 1024;

/** Reads database files and goes through them whole. What cannot be used is told, and costs that file alone. */
export function loadGeoip(paths: readonly string[]): { readonly loaded: readonly LoadedGeoip[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const loaded = paths.flatMap((path): LoadedGeoip[] => {
    const content = contentOf(path, problems);
    const checked = content && checkMmdb(content);
    if (!checked) return [];
    if ("problem" in checked) {
      problems.push({ ...checked.problem, file: path });
      return [];
    }
    const { type, builtMs } = checked.head;
    const bytes = new SharedArrayBuffer(content.length);
    new Uint8Array(bytes).set(content);
    return [{ path, file: { name: basename(path).replace(/\.gz$/, ""), type, builtMs, bytes }, version: createHash("sha256").update(content).digest("hex").slice(0, 16) }];
  });
  return { loaded, problems };
}

/** The databases as one, in their order; undefined of none. */
export function geoipOf(loaded: readonly LoadedGeoip[]): GeoipData | undefined {
  return loaded.length ? { version: loaded.map(({ version }) => version).join(" "), files: loaded.map(({ file }) => file) } : undefined;
}

function contentOf(path: string, problems: Problem[]): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes;
    if (plain.length <= MOST_BYTES) return plain;
    problems.push({ code: "geoip/too-large", file: path, message: `the database has more than ${MOST_BYTES >> 20} MB`, hint: "take a smaller one, such as that of cities without the networks" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    problems.push({ code: "geoip/unreadable", file: path, message: `the database cannot be read: ${code === "ENOENT" ? "no such file" : message}`, hint: "name a MaxMind DB file (.mmdb), plain or packed by gzip" });
  }
  return undefined;
}
