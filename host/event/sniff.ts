import type { EventFormat } from "./event.ts";

export interface Sniffed {
  readonly format: EventFormat;
  /** Records do not stand one a line: the bytes must be reframed first. */
  readonly reframe: boolean;
  /** Guessed source, where the records name none themselves. */
  readonly source?: string;
}

const decoder = new TextDecoder();
const SNIFF_BYTES = 64 * 1024;

/** Guesses format and source from an input's first bytes, whatever its name says. */
export function sniff(bytes: Uint8Array): Sniffed {
  const text = decoder.decode(bytes.slice(0, SNIFF_BYTES)).replace(/^\ufeff/, "");
  const start = text.trimStart();
  if (!start.startsWith("{") && !start.startsWith("[")) return { format: "text", reframe: false };
  if (start.startsWith("[")) return { format: "intake", reframe: true };
  const newline = start.indexOf("\n");
  const line = (newline < 0 ? start : start.slice(0, newline)).trim();
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    // An unfinished first line is an object over several lines; a line cut by the sniff's end may be whole.
    return { format: "intake", reframe: newline >= 0 && line.length < 4096 && /^[{[]\s*("[^"]*"\s*:\s*[{[]?\s*)?$/.test(line) };
  }
  if (typeof record !== "object" || record === null) return { format: "intake", reframe: false };
  const members = record as Record<string, unknown>;
  if (Array.isArray(members.Records) || Array.isArray(members.records)) return { format: "intake", reframe: true, source: sourceOf(members) };
  const isEnvelope = typeof members.attributes === "object" && members.attributes !== null && !("ddsource" in members) && !("ddtags" in members);
  return { format: isEnvelope ? "log" : "intake", reframe: false, source: sourceOf(members) };
}

function sourceOf(members: Record<string, unknown>): string | undefined {
  const first = Array.isArray(members.Records) ? (members.Records[0] as Record<string, unknown> | undefined) : members;
  return first && "eventVersion" in first && "eventSource" in first && "eventName" in first ? "cloudtrail" : undefined;
}
