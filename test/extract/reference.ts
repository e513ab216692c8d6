import type { BadRecord, ExtractColumn } from "../../host/engine/extraction.ts";

/** JSON.parse's own reading of NDJSON bytes: the slow and obvious twin of the kernel. */

export interface ExpectedRow {
  readonly start: number;
  readonly values: readonly (readonly string[])[];
}

export interface Expected {
  readonly rows: ExpectedRow[];
  readonly bad: { readonly start: number; readonly reason: BadRecord["reason"] | "any" }[];
}

const DEPTH_CAP = 256;
type Visit = (text: string) => void;

function scalarText(value: unknown): string | undefined {
  if (value === null || typeof value === "object" || value === undefined) return undefined;
  return String(value);
}

/** Calls `visit` with every non-null scalar at `path`, arrays being transparent. */
function atPath(value: unknown, path: readonly string[], dotted: boolean, below: boolean, visit: Visit): void {
  if (Array.isArray(value)) {
    for (const element of value) atPath(element, path, dotted, below, visit);
    return;
  }
  if (path.length === 0) {
    const text = scalarText(value);
    if (text !== undefined) visit(text);
    else if (below && value !== null) for (const member of Object.values(value as object)) atPath(member, path, dotted, below, visit);
    return;
  }
  if (value === null || typeof value !== "object") return;
  for (let taken = 1; taken <= (dotted ? path.length : 1); taken++) {
    const key = path.slice(0, taken).join(".");
    if (Object.hasOwn(value, key)) atPath((value as Record<string, unknown>)[key], path.slice(taken), dotted, below, visit);
  }
}

export function expectedValues(record: unknown, columns: readonly ExtractColumn[]): string[][] {
  const values: string[][] = Array.from({ length: Math.max(...columns.map((column) => column.column)) + 1 }, () => []);
  for (const { column, kind, path, dotted } of columns) {
    const list = values[column] ?? [];
    if (kind === "exists") {
      let found = false;
      atPath(record, path, dotted ?? false, true, () => (found = true));
      if (found) list.push("exists");
    } else atPath(record, path, dotted ?? false, kind === "all", (text) => list.push(text));
  }
  return values;
}

/** Containers inside containers of JSON text that parses. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inString) {
      if (c === "\\") i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "{" || c === "[") deepest = Math.max(deepest, ++depth);
    else if (c === "}" || c === "]") depth--;
  }
  return deepest;
}

/** What one line without its line feed is: an object, an array, another value, or not JSON. */
export function readLine(text: string): { record?: unknown; list?: unknown[]; bad?: true } | undefined {
  if (/^[ \t\r]*$/.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { bad: true };
  }
  if (depthOf(text) > DEPTH_CAP) return { bad: true };
  if (Array.isArray(value)) return { list: value };
  return typeof value === "object" && value !== null ? { record: value } : { bad: true };
}

/** Index one past the object that opens at `start`, by brackets alone; -1 when it never closes. */
function closeOf(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
    } else if (c === "{" || c === "[") depth++;
    else if ((c === "}" || c === "]") && --depth === 0) return i + 1;
  }
  return -1;
}

function parses(text: string): { value: unknown } | undefined {
  const read = readLine(text);
  if (read?.record !== undefined) return { value: read.record };
  return undefined;
}

const blank = /[ \t\r]*/y;
function skipBlanks(text: string, at: number): number {
  blank.lastIndex = at;
  blank.test(text);
  return blank.lastIndex;
}

/** Adds the rows and refusals of one line; `offset` is where its text begins in the bytes. */
function addLine(text: string, offset: number, columns: readonly ExtractColumn[], expected: Expected): void {
  const byteAt = (index: number): number => offset + Buffer.byteLength(text.slice(0, index));
  const row = (record: unknown, at: number): void => {
    expected.rows.push({ start: byteAt(at), values: expectedValues(record, columns) });
  };
  const refuse = (at: number, reason: BadRecord["reason"] | "any"): void => {
    expected.bad.push({ start: byteAt(at), reason });
  };
  let at = skipBlanks(text, 0);
  if (at === text.length) return;
  if (text[at] !== "{") {
    const read = readLine(text);
    if (!read?.list) {
      refuse(at, "any");
      return;
    }
    at++;
    for (const element of read.list) {
      at = skipBlanks(text, at);
      if (text[at] === ",") at = skipBlanks(text, at + 1);
      if (typeof element === "object" && element !== null && !Array.isArray(element)) {
        row(element, at);
        at = closeOf(text, at);
      } else {
        refuse(at, "not-an-object");
        if (Array.isArray(element)) at = closeOf(text, at);
        else if (typeof element === "string") {
          for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++;
          at++;
        } else while (!/[ \t\r,\]]/.test(text[at] ?? "]")) at++;
      }
    }
    return;
  }
  while (at < text.length) {
    const end = closeOf(text, at);
    const record = end < 0 ? undefined : parses(text.slice(at, end));
    const next = end < 0 ? 0 : skipBlanks(text, end);
    if (!record || (next < text.length && text[next] !== "{")) {
      refuse(at, "any");
      return;
    }
    row(record.value, at);
    at = next;
  }
}

/** What the kernel must answer for bytes that are UTF-8. */
export function expectedOf(bytes: Uint8Array, columns: readonly ExtractColumn[]): Expected {
  const expected: Expected = { rows: [], bad: [] };
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (start < bytes.length) {
    const feed = bytes.indexOf(10, start);
    const end = feed < 0 ? bytes.length : feed;
    addLine(Buffer.from(bytes.subarray(start, end)).toString("utf8"), start, columns, expected);
    start = end + 1;
  }
  return expected;
}
