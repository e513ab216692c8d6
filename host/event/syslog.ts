import type { Json } from "./event.ts";

type Members = { [name: string]: Json };

// Each runs once over the line: no part of a pattern can take what the next could. host/engine/text/header.ts has the same for the kernels.
const PRIORITY = /^<(\d{1,3})>/;
const OLD = /^([A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}) ([^\t\n\f\r ]+) /;
/** rsyslog's file format since it dropped the year-less one. */
const DATED = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})) ([^\t\n\f\r ]+) /;
const TAG = /^([^\t\n\f\r :[\]]+)(?:\[([^\]]*)\])?: ?/;
/** rsyslog writes 0 where its template asks for the version of a line that had none. */
const NEW = /^(0|[1-9]\d?) ([^\t\n\f\r ]+) ([^\t\n\f\r ]+) ([^\t\n\f\r ]+) ([^\t\n\f\r ]+) ([^\t\n\f\r ]+) /;
const COOKIE = /^\s*@cee:\s*(?=\{)/;

/**
 * A syslog line as a record in Datadog's intake shape, or undefined when it is none: RFC 5424, RFC 3164 with or without
 * its priority, and rsyslog's dated files.
 */
export function readSyslog(line: string): Members | undefined {
  const priority = PRIORITY.exec(line);
  const prival = priority ? Number(priority[1]) : undefined;
  if (prival !== undefined && prival > 191) return undefined;
  const rest = priority ? line.slice(priority[0].length) : line;
  const level: Members = prival === undefined ? {} : { prival, facility: prival >> 3, severity: prival & 7 };
  return (priority && readNew(rest, level)) || readOld(rest, level);
}

/** RFC 3164: `Mmm dd hh:mm:ss HOST TAG[pid]: MSG`; the year is whatever the reader's arrival says. */
function readOld(rest: string, level: Members): Members | undefined {
  const head = OLD.exec(rest) ?? DATED.exec(rest);
  if (!head) return undefined;
  const after = rest.slice(head[0].length);
  const tag = TAG.exec(after);
  const syslog: Members = { ...level, timestamp: head[1]!, hostname: head[2]! };
  if (tag) {
    syslog.appname = tag[1]!;
    if (tag[2]) syslog.procid = tag[2];
  }
  return { message: content(tag ? after.slice(tag[0].length) : after), syslog };
}

/** RFC 5424: `VERSION TIMESTAMP HOST APP PROCID MSGID SD MSG`, `-` for what is not known. */
function readNew(rest: string, level: Members): Members | undefined {
  const head = NEW.exec(rest);
  if (!head) return undefined;
  const syslog: Members = { ...level, version: Number(head[1]) };
  (["timestamp", "hostname", "appname", "procid", "msgid"] as const).forEach((name, i) => {
    const value = head[i + 2]!;
    if (value !== "-") syslog[name] = value;
  });
  const data = readStructuredData(rest, head[0].length);
  if (!data) return undefined;
  const { metas, ...elements } = data.elements;
  if (Object.keys(elements).length) syslog.sd = elements;
  const record: Members = { message: content(rest.slice(data.end).replace(/^ /, "").replace(/^\ufeff/, "")), syslog };
  if (typeof metas?.ddsource === "string") record.ddsource = metas.ddsource;
  if (typeof metas?.ddtags === "string") record.ddtags = metas.ddtags;
  return record;
}

interface StructuredData {
  readonly elements: { [id: string]: { [name: string]: string } };
  readonly end: number;
}

/** `-`, or elements `[id name="value" …]` side by side; `\` escapes `"`, `\` and `]` in values. */
function readStructuredData(text: string, start: number): StructuredData | undefined {
  if (text[start] === "-") return { elements: {}, end: start + 1 };
  const elements: StructuredData["elements"] = {};
  const name = /[^\s=\]"]+/y;
  let at = start;
  while (text[at] === "[") {
    name.lastIndex = at + 1;
    const id = name.exec(text);
    if (!id) return undefined;
    const element: { [name: string]: string } = {};
    at = name.lastIndex;
    while (text[at] === " ") {
      name.lastIndex = at + 1;
      const parameter = name.exec(text);
      if (!parameter || !text.startsWith('="', name.lastIndex)) return undefined;
      at = name.lastIndex + 2;
      let value = "";
      while (at < text.length && text[at] !== '"') {
        if (text[at] === "\\" && /["\\\]]/.test(text[at + 1] ?? "")) at++;
        value += text[at++];
      }
      at++;
      element[parameter[0]] = value;
    }
    if (text[at] !== "]") return undefined;
    elements[id[0]] = element;
    at++;
  }
  return at === start ? undefined : { elements, end: at };
}

/** The message without the cookie that says it is JSON. */
function content(message: string): string {
  return message.replace(COOKIE, "");
}
