import { arrayElements, objectsSideBySide, skipBlanks } from "../../host/intake/json-scan.ts";

export interface ToldBody {
  readonly kind: "empty" | "text" | "array" | "objects" | "broken";
  /** Start and end of each element. */
  readonly spans: ReadonlyArray<readonly [start: number, end: number]>;
  readonly odd: boolean;
  readonly long: boolean;
  readonly tight: boolean;
  readonly folded: boolean;
}

/** What a body is, by the scanner that looks at one byte after another and is itself held against JSON.parse. */
export function tellBody(body: Uint8Array, recordBytes: number): ToldBody {
  const nothing = { spans: [], odd: false, long: false, tight: false, folded: false };
  const start = skipBlanks(body, body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0, body.length);
  if (start >= body.length) return { kind: "empty", ...nothing };
  const isArray = body[start] === 0x5b;
  if (!isArray && body[start] !== 0x7b) return { kind: "text", ...nothing };
  const found = isArray ? arrayElements(body, start, body.length) : objectsSideBySide(body, start, body.length);
  if (!found || skipBlanks(body, found.after, body.length) < body.length) return { kind: "broken", ...nothing };
  const spans = Array.from({ length: found.spans.count }, (_, i) => [found.spans.start(i), found.spans.end(i)] as const);
  return {
    kind: isArray ? "array" : "objects",
    spans,
    odd: spans.some(([from]) => body[from] !== 0x7b),
    long: spans.some(([from, to]) => to - from > recordBytes),
    tight: spans.some(([from], i) => i > 0 && from === spans[i - 1]![1]),
    folded: spans.some(([from, to]) => body.subarray(from, to).includes(10)),
  };
}
