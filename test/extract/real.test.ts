import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ExtractColumn } from "../../host/engine/extraction.ts";
import { variants } from "../support/wasm.ts";
import { compareWithJson } from "./compare.ts";
import { Reader } from "./support.ts";

const data = join(process.env["VESPID_SHARED"] ?? join(import.meta.dirname, "../../../shared"), "data");
const BYTES_PER_FILE = 1_500_000;
const COLUMNS = 24;

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.jsonl(\.gz)?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function read(file: string): Buffer {
  const bytes = readFileSync(file);
  const text = file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  return text.length <= BYTES_PER_FILE ? text : text.subarray(0, text.lastIndexOf(10, BYTES_PER_FILE) + 1);
}

/** The paths that occur most in the first records, so that the plan asks for what is there. */
function planOf(bytes: Buffer): ExtractColumn[] {
  const counts = new Map<string, number>();
  const walk = (value: unknown, path: string[]): void => {
    if (Array.isArray(value)) for (const element of value) walk(element, path);
    else if (value && typeof value === "object") for (const [key, member] of Object.entries(value)) walk(member, [...path, key]);
    else counts.set(JSON.stringify(path), (counts.get(JSON.stringify(path)) ?? 0) + 1);
  };
  for (const line of bytes.subarray(0, 200_000).toString().split("\n").slice(0, 100)) {
    try {
      walk(JSON.parse(line), []);
    } catch {
      // The cut line.
    }
  }
  const paths = [...counts].sort((a, b) => b[1] - a[1]).slice(0, COLUMNS).map(([path]) => JSON.parse(path) as string[]);
  const columns: ExtractColumn[] = paths.map((path, column) => ({ column, kind: "value", path, dotted: column % 2 === 0 }));
  columns.push({ column: columns.length, kind: "exists", path: paths.at(-1)?.slice(0, 1) ?? ["x"] });
  return columns;
}

describe.skipIf(!existsSync(data))("real logs (../shared/data)", () => {
  const files = existsSync(data) ? filesOf(data) : [];
  test.each(variants)("every projected field equals JSON.parse, %s", (variant) => {
    let fields = 0;
    for (const file of files) {
      const bytes = read(file);
      const columns = planOf(bytes);
      if (columns.length < 2) continue;
      const reader = new Reader(variant, columns, { stateCapacity: 8192, transitionCapacity: 8192 });
      fields += compareWithJson(reader, columns, bytes, 5);
    }
    expect(fields).toBeGreaterThan(100_000);
  });
});
