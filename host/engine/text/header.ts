import type { TextCapture } from "./grok-step.ts";

/** Attribute a header's part becomes, and the reserved attribute it also is. */
export const headerParts: ReadonlyMap<string, "host" | "service" | "timestamp" | "status" | undefined> = new Map([
  ["timestamp", "timestamp"], ["hostname", "host"], ["appname", "service"], ["severity", "status"],
  ["procid", undefined], ["msgid", undefined], ["version", undefined], ["prival", undefined], ["facility", undefined],
]);
/** Path of the capture that holds the message. */
export const MESSAGE = "message";
/** Path of the capture that says: structured data, which columns cannot hold. */
export const STRUCTURED = "structured";

const WORD = "[^\\t\\n\\f\\r ]+";
const PRIORITY = "<(19[01]|1[0-8][0-9]|0[0-9][0-9]|[0-9]{1,2})>";
const OLD_TIME = "[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}";
const DATED_TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})";
const TAG = "([^\\t\\n\\f\\r :\\[\\]]+)(?:\\[([^\\]]*)\\])?: ?";
const NIL_OR_WORD = `(?:-|(${WORD})) `;
const ANYTHING = "([\\s\\S]*)";

export interface HeaderRule {
  readonly regex: string;
  readonly captures: readonly TextCapture[];
}

function rule(regex: string, names: readonly string[]): HeaderRule {
  const captures = names.map((name, i): TextCapture => ({ group: i + 1, path: [name], ...(name === "version" ? { filter: Number } : {}), ...(name === MESSAGE ? { keepsEmpty: true } : {}) }));
  const priority = names.indexOf("prival") + 1;
  if (priority) {
    captures.splice(priority - 1, 1,
      { group: priority, path: ["prival"], filter: Number },
      { group: priority, path: ["facility"], filter: (text) => Number(text) >> 3 },
      { group: priority, path: ["severity"], filter: (text) => Number(text) & 7 });
  }
  return { regex, captures };
}

/**
 * The lines `readSyslog` reads, as rules for a text program: RFC 5424, RFC 3164 with or without its priority, rsyslog's dated files;
 * at last any line, which is its own message. Structured data and JSON messages are left to `readSyslog`.
 */
export const headerRules: readonly HeaderRule[] = [
  rule(`${PRIORITY}(0|[1-9][0-9]?) ${NIL_OR_WORD.repeat(5)}(\\[)[\\s\\S]*`, ["prival", "version", "timestamp", "hostname", "appname", "procid", "msgid", STRUCTURED]),
  rule(`${PRIORITY}(0|[1-9][0-9]?) ${NIL_OR_WORD.repeat(5)}- ?(?:\\x{FEFF})?${ANYTHING}`, ["prival", "version", "timestamp", "hostname", "appname", "procid", "msgid", MESSAGE]),
  ...[`(${OLD_TIME}|${DATED_TIME}) (${WORD}) `].flatMap((head) => [
    rule(`${head}${TAG}${ANYTHING}`, ["timestamp", "hostname", "appname", "procid", MESSAGE]),
    rule(`${head}${ANYTHING}`, ["timestamp", "hostname", MESSAGE]),
    rule(`${PRIORITY}${head}${TAG}${ANYTHING}`, ["prival", "timestamp", "hostname", "appname", "procid", MESSAGE]),
    rule(`${PRIORITY}${head}${ANYTHING}`, ["prival", "timestamp", "hostname", MESSAGE]),
  ]),
  rule(ANYTHING, [MESSAGE]),
];
