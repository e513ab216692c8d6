import type { SignalEvent } from "../index.ts";
import { type Severity, severityNumber } from "../rule/rule.ts";
import { type Signal, signalText } from "../signal/signal.ts";
import { print } from "./output.ts";
import { coloured, count, cut, safe, safeLine, table, timeText } from "./text.ts";

const TITLE_CELLS = 48;
const GROUP_CELLS = 48;
const LINES_PER_WRITE = 1000;

/** Signals in their final state, in the order they opened: one JSON line each, or a table with the gravest first. */
export function printSignals(signals: readonly Signal[], json: boolean): void {
  if (!json) {
    print(`${signalTable(signals)}\n`);
    return;
  }
  for (let i = 0; i < signals.length; i += LINES_PER_WRITE) {
    print(signals.slice(i, i + LINES_PER_WRITE).map((signal) => safeLine(signalText(signal))).join(""));
  }
}

/** Prints signals while they happen: when one opens, and when it becomes graver. */
export class Announcer {
  readonly #json: boolean;
  readonly #severities = new Map<string, Severity>();

  constructor(json: boolean) {
    this.#json = json;
  }

  hear({ kind, signal, gone }: SignalEvent): void {
    // Left without a match it is none any more, and what was printed stays printed.
    if (gone?.includes(signal)) return;
    const before = this.#severities.get(signal.id);
    if (kind === "extended" && before === signal.severity) return;
    this.#severities.set(signal.id, signal.severity);
    const event = before === undefined ? "opened" : "raised";
    if (this.#json) print(safeLine(signalText(signal, { event })));
    else print(`${timeText(signal.lastSeenMs)}  ${coloured(signal.severity, signal.severity.padEnd(8))}  ${event}  ${safe(signal.title)}  ${safe(groupText(signal))}\n`);
  }
}

function groupText(signal: Signal): string {
  return Object.entries(signal.group).map(([field, value]) => `${field}:${value}`).join(" ");
}

function signalTable(signals: readonly Signal[]): string {
  if (!signals.length) return "no signals";
  const sorted = [...signals].sort((a, b) => severityNumber(b.severity) - severityNumber(a.severity) || a.firstSeenMs - b.firstSeenMs);
  const rows = sorted.map((signal) => [
    signal.severity, timeText(signal.firstSeenMs), timeText(signal.lastSeenMs), cut(safe(signal.ruleName), TITLE_CELLS), cut(safe(signal.caseName), 24), count(signal.eventsMatched), cut(safe(groupText(signal)), GROUP_CELLS),
  ]);
  return table(["SEVERITY", "FIRST SEEN", "LAST SEEN", "RULE", "CASE", { name: "EVENTS", align: "right" }, "GROUP"], rows, (text, row, column) => (row >= 0 && column === 0 ? coloured(sorted[row]!.severity, text) : text));
}
