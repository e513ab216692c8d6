import type { EventFormat } from "./event.ts";
import { readSyslog } from "./syslog.ts";

export interface Sniffed {
  readonly format: EventFormat;
  /** Records do not stand one a line: the bytes must be reframed first. */
  readonly reframe: boolean;
  /** Guessed source, where the records name none themselves. */
  readonly source?: string;
}

const decoder = new TextDecoder();
const SNIFF_BYTES = 64 * 1024;

const SNIFF_LINES = 64;
/** Programs whose lines make a log one of authentication. */
const authPrograms: ReadonlySet<string> = new Set([
  "sshd", "sshd-session", "sudo", "su", "login", "systemd-logind", "useradd", "userdel", "usermod", "groupadd", "groupdel", "groupmod", "gpasswd",
  "passwd", "chpasswd", "chage", "polkitd", "pkexec", "doas",
]);
/** What an array of events begins with; a line in brackets, such as a time, is none. */
const ARRAY_START = /^\[\s*(?:[{["\]]|$)/;
const ERROR_LINE = /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:.]+ \d{4}\] \[/;
const ACCESS_LINE = /^(?:[^\s"]+:\d+ )?[^\s"]+ [^\s"]+ [^"[]+ \[\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\] "/;

/**
 * Guesses format and source from an input's first bytes.
 *
 * @param name tells web servers apart whose lines are alike.
 */
export function sniff(bytes: Uint8Array, name = ""): Sniffed {
  const text = decoder.decode(bytes.slice(0, SNIFF_BYTES)).replace(/^\ufeff/, "");
  const start = text.trimStart();
  if (ARRAY_START.test(start)) return { format: "intake", reframe: true };
  if (!start.startsWith("{")) return sniffText(start, name);
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

function sniffText(text: string, name: string): Sniffed {
  const lines = text.split("\n", SNIFF_LINES).filter((line) => line.trim() !== "");
  if (lines[0] !== undefined && ACCESS_LINE.test(lines[0])) return { format: "text", reframe: false, source: /nginx/i.test(name) ? "nginx" : "apache" };
  if (lines[0] !== undefined && ERROR_LINE.test(lines[0])) return { format: "text", reframe: false, source: "apache" };
  const records = lines.map(readSyslog).filter((record) => record !== undefined);
  if (!records.length || !readSyslog(lines[0]!)) return { format: "text", reframe: false };
  const ofAuth = records.filter((record) => {
    const { appname } = record.syslog as { readonly appname?: unknown };
    return (typeof appname === "string" && authPrograms.has(appname)) || (typeof record.message === "string" && record.message.startsWith("pam_"));
  });
  return { format: "syslog", reframe: false, source: ofAuth.length * 2 >= records.length ? "auth" : "syslog" };
}

function sourceOf(members: Record<string, unknown>): string | undefined {
  const first = Array.isArray(members.Records) ? (members.Records[0] as Record<string, unknown> | undefined) : members;
  return first && "eventVersion" in first && "eventSource" in first && "eventName" in first ? "cloudtrail" : undefined;
}
