import { expect } from "vitest";
import type { ExtractColumn } from "../../host/engine/extraction.ts";
import { expectedOf } from "./reference.ts";
import { type Read, type Reader, bytesText } from "./support.ts";

function sorted(values: readonly string[]): string {
  return values.length < 2 ? (values[0] === undefined ? "" : `1 ${values[0]}`) : `${values.length} ${[...values].sort().join("\u0001")}`;
}

function lineAround(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(10, at);
  return JSON.stringify(Buffer.from(bytes.subarray(Math.max(0, at - 300), end < 0 ? bytes.length : end)).toString());
}

/**
 * Reads the bytes with the kernel and with JSON.parse, and fails on the first difference.
 *
 * @returns how many fields (row, column) were equal
 */
export function compareWithJson(reader: Reader, columns: readonly ExtractColumn[], bytes: Uint8Array, shift = 0): number {
  const expected = expectedOf(bytes, columns);
  const read: Read = reader.read(bytes, shift);
  const exists = new Set(columns.filter((column) => column.kind === "exists").map((column) => column.column));
  const problems: string[] = [];
  const count = Math.max(read.rows.length, expected.rows.length);
  for (let i = 0; i < count && problems.length === 0; i++) {
    const got = read.rows[i];
    const want = expected.rows[i];
    if (got?.start !== want?.start) {
      problems.push(`row ${i} begins at ${got?.start}, expected ${want?.start}: ${lineAround(bytes, Math.max(0, Math.min(got?.start ?? 1e9, want?.start ?? 1e9)))} in line ${lineAround(bytes.subarray(bytes.lastIndexOf(10, Math.min(got?.start ?? 1e9, want?.start ?? 1e9)) + 1), 0)}`);
      break;
    }
    for (let column = 0; column < reader.columnCount; column++) {
      const values = got?.values[column] ?? [];
      const wanted = want?.values[column] ?? [];
      const same = exists.has(column) ? values.length === Math.min(wanted.length, 1) : sorted(values) === sorted(wanted.map(bytesText));
      if (!same) problems.push(`row ${i} column ${column} is ${JSON.stringify(values)}, expected ${JSON.stringify(wanted)}: ${lineAround(bytes, want?.start ?? 0)}`);
    }
  }
  for (let i = 0; i < Math.max(read.bad.length, expected.bad.length) && problems.length === 0; i++) {
    const got = read.bad[i];
    const want = expected.bad[i];
    if (got?.start !== want?.start || (want && want.reason !== "any" && want.reason !== got?.reason)) {
      problems.push(`refusal ${i} is ${JSON.stringify(got)}, expected ${JSON.stringify(want)}: ${lineAround(bytes, Math.min(got?.start ?? 1e9, want?.start ?? 1e9))}`);
    }
  }
  if (problems.length > 0) expect.fail(problems.join("\n"));
  return expected.rows.length * reader.columnCount;
}
