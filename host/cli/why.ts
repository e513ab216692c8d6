import { existsSync } from "node:fs";
import { readInput } from "../batch/input.ts";
import type { LogEvent } from "../event/event.ts";
import type { QueryTrace } from "../query/trace.ts";
import type { ConditionTrace } from "../rule/condition-trace.ts";
import type { Rule } from "../rule/rule.ts";
import { standingQueries } from "../rule/standing.ts";
import { type AskedRecord, type GroupAnswer, type Outcome, UnreadableEvent, Why, type WhyAnswer } from "../why.ts";
import { type FeedOptions, feedMerged, inputFiles, inputSettings } from "./feed.ts";
import { loadGoodRules } from "./load-rules.ts";
import { choosePipelines } from "./pipelines.ts";
import { UsageError } from "./problems.ts";
import { loadSettings } from "./run.ts";
import { selectRules } from "./select-rules.ts";
import type { SettingsFiles } from "./settings.ts";
import { coloured, count, cut, jsonLine, plural, safe, styled, table, timeText, widthText } from "./text.ts";

export interface WhyOptions extends FeedOptions, SettingsFiles {
  readonly rule: string;
  readonly rules?: readonly string[];
  readonly event: string;
  readonly nth: string;
  readonly logs?: readonly string[];
  readonly lateness: string;
  readonly deduplicate?: boolean;
  readonly json?: boolean;
}

/**
 * `vespid why`: what one rule made of one event, and what it would have taken.
 *
 * Exit code 0 when the event opened or extended a signal, 1 when it did not, 2 when rule or event cannot be read.
 */
export async function why(options: WhyOptions): Promise<number> {
  const rule = await ruleOf(options);
  const latenessSeconds = Number(options.lateness);
  if (!(latenessSeconds >= 0) || options.lateness.trim() === "") throw new UsageError(`--lateness ${options.lateness} is no number of seconds`);
  if (!/^[1-9]\d{0,8}$/.test(options.nth)) throw new UsageError(`--nth ${options.nth} is no number of an event; the first is 1`);
  const settings = await loadSettings(options, [rule]);
  const pipelines = await choosePipelines(options, standingQueries([rule]));
  const asked = await readAsked(options, pipelines);
  let told: Why;
  try {
    told = await Why.create({
      rule, pipelines: pipelines.all, suppressions: settings.suppressions, securityFilters: settings.securityFilters, criticalAssets: settings.criticalAssets,
      referenceTables: settings.referenceTables, allowedLatenessMs: latenessSeconds * 1000, deduplicate: options.deduplicate,
    }, asked);
  } catch (error) {
    if (error instanceof UnreadableEvent) throw new UsageError(`${options.event}: no event can be read there: ${error.message}`);
    throw error;
  }
  const faults = options.logs?.length
    ? (await feedMerged(inputFiles(options.logs), options, { pipelines, push: (bytes, input, file) => told.context(bytes, input, file) })).faults
    : [];
  const answer = await told.answer();
  process.stdout.write(options.json ? jsonLine(answerJson(answer)) : `${answerText(answer)}\n`);
  for (const fault of faults) process.stderr.write(`${styled("red", "vespid:", process.stderr)} ${safe(fault)}\n`);
  if (faults.length) return 2;
  return answer.outcome.kind === "opened" || answer.outcome.kind === "extended" ? 0 : 1;
}

/** A rule file that holds one, or an id or name among `--rules`. */
async function ruleOf({ rule, rules }: WhyOptions): Promise<Rule> {
  const isFile = existsSync(rule) && !rules?.length;
  if (!isFile && !rules?.length) throw new UsageError(`--rule ${rule} is no file; name the files with --rules to pick it by its id or name`);
  const loaded = (await loadGoodRules(isFile ? [rule] : rules!)).rules;
  if (!isFile) return selectRules(loaded, [rule])[0]!;
  if (loaded.length > 1) throw new UsageError(`${rule} holds ${loaded.length} rules; pick one: --rules ${rule} --rule ${loaded[0]!.id}`);
  return loaded[0]!;
}

/** The record asked about: a line, or a document that is one object over several. */
async function readAsked(options: WhyOptions, pipelines: Awaited<ReturnType<typeof choosePipelines>>): Promise<AskedRecord> {
  const wanted = Number(options.nth);
  let seen = 0;
  let found: AskedRecord | undefined;
  await readInput(options.event, {
    async push(bytes, input) {
      for (let start = 0; start < bytes.length && !found;) {
        const newline = bytes.indexOf(10, start);
        const end = newline < 0 ? bytes.length : newline;
        if (end > start && Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1").trim() !== "" && ++seen === wanted) found = { bytes: bytes.slice(start, end), input };
        start = end + 1;
      }
    },
    tooLarge() {},
  }, {
    settings: inputSettings(options, pipelines), nowMs: Date.now, enough: () => found !== undefined,
    arrange: async () => await (await import("../engine/reframing.ts")).createLineReframer(),
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === undefined) throw error;
    throw new UsageError(`${options.event}: ${error.code === "ENOENT" ? "no such file" : error.message}`);
  });
  if (!found) throw new UsageError(`${options.event}: ${seen ? `it holds ${plural(seen, "event")}, and --nth asks for number ${wanted}` : "it holds no event"}`);
  return found;
}

function verdict({ outcome, queries, guards, groups, rule }: WhyAnswer): string {
  const blocked = guards.filter((guard) => !guard.passes && guard.queryLabel === undefined);
  switch (outcome.kind) {
    case "opened":
    case "extended":
      return outcome.signals.map((signal) => `it ${outcome.kind} a signal: ${signal.severity}, ${signal.title}`).join("; ");
    case "suppressed":
      return `it was a match, and suppression ${outcome.by.join(", ")} ate it`;
    case "late":
      return `it came ${widthText(outcome.byMs)} after the newest event of its file: too late to be judged`;
    case "repeat":
      return "another event of its id came less than ten minutes before, so it was left out: a log that is sent again counts once";
    case "idle":
      return `the rule judges nothing: ${outcome.reason}`;
    case "none":
      break;
  }
  if (blocked.length) return `it was kept from the rule by ${blocked.map((guard) => `${guard.kind} ${guard.name}`).join(", ")}`;
  const matched = queries.filter((query) => query.trace.holds);
  if (!matched.length) return `no query of the rule matches it`;
  const table = guards.find((guard) => !guard.passes);
  if (table) return `it was kept from query ${table.queryLabel} by ${table.kind} ${table.name}`;
  const lost = matched.find((query) => query.missing.length);
  if (!groups.length && lost) return `query ${lost.label} matches it, but it has no ${lost.missing.join(", ")} to be counted for`;
  const needs = groups.flatMap((group) => group.cases.flatMap((each) => (each.needs.length ? [each] : [])));
  const nearest = needs.reduce<typeof needs[number] | undefined>((least, each) => (least && least.needs.length <= each.needs.length ? least : each), undefined);
  if (nearest) return `it was counted, and no case is true: ${nearest.name || nearest.severity} needs ${nearest.needs.join(" and ")}`;
  const against = groups.flatMap((group) => group.state.filter((line) => line.speaks === "against"));
  if (against.length) return `it was looked at, and not told: ${against[0]!.name}: ${against[0]!.text}`;
  return `it was looked at, and ${rule.options.detectionMethod} had nothing to tell`;
}

const YES = "✓";
const NO = "✗";

function mark(holds: boolean): string {
  return holds ? styled("green", YES) : styled("red", NO);
}

function answerText(answer: WhyAnswer): string {
  const { rule, event, outcome } = answer;
  const parts = [
    `${styled("bold", safe(rule.name))}  ${rule.options.detectionMethod}\n${mark(outcome.kind === "opened" || outcome.kind === "extended")} ${safe(verdict(answer))}`,
    `${styled("bold", "EVENT")}  ${timeText(answer.timeMs)}  ${cut(safe(headline(event)), 100)}${answer.contextEvents ? `\n       after ${plural(answer.contextEvents, "event")} of the logs` : ""}`,
  ];
  if (answer.guards.length) {
    parts.push(`${styled("bold", "BEFORE THE QUERIES")}\n${answer.guards.map((guard) => `${mark(guard.passes)} ${guard.kind} ${safe(guard.name)}${guard.queryLabel === undefined ? "" : ` of ${guard.queryLabel}`}: ${cut(safe(guard.text), 90)}`).join("\n")}`);
  }
  parts.push(`${styled("bold", "QUERIES")}\n${answer.queries.map((query) => {
    const missing = query.trace.holds && query.missing.length ? `\n    ${mark(false)} no ${safe(query.missing.join(", "))} to group by` : "";
    return `${mark(query.trace.holds)} ${safe(query.label)}: ${cut(safe(query.trace.text), 100)}${query.trace.holds ? missing : `\n${traceText(query.trace, 4)}`}`;
  }).join("\n")}`);
  for (const group of answer.groups) parts.push(groupText(group, answer));
  return parts.join("\n\n");
}

function headline(event: LogEvent): string {
  const where = [event.source, event.service, event.host].filter((text) => text !== undefined).join(" ");
  return `${where}${where && event.message ? ": " : ""}${event.message ?? ""}` || JSON.stringify(event.attributes ?? {});
}

/** The parts of a query that does not hold; what holds beside them in one line each. */
function traceText(trace: QueryTrace, indent: number): string {
  const pad = " ".repeat(indent);
  if (trace.kind === "and" || trace.kind === "or") {
    const inside = trace.parts.map((part) => (part.holds || !part.parts.length || part.kind === "not" ? leafText(part, indent) : `${pad}${mark(false)} ${part.kind === "or" ? "none" : "not all"} of\n${traceText(part, indent + 2)}`));
    return inside.join("\n");
  }
  return leafText(trace, indent);
}

function leafText(trace: QueryTrace, indent: number): string {
  const pad = " ".repeat(indent);
  const inner = trace.kind === "not" ? trace.parts[0]! : trace;
  const values = trace.holds && trace.kind !== "leaf" ? "" : valuesText(inner);
  return `${pad}${mark(trace.holds)} ${cut(safe(trace.text), 80)}${values}`;
}

function valuesText({ values, near, kind }: QueryTrace): string {
  if (kind !== "leaf" && kind !== "cidr") return "";
  const shown = values?.length ? `is ${values.slice(0, 3).map((value) => cut(safe(typeof value === "string" ? JSON.stringify(value) : String(value)), 60)).join(", ")}${values.length > 3 ? ` and ${plural(values.length - 3, "more")}` : ""}` : "is absent";
  return styled("dim", `   ${shown}${near === undefined ? "" : `; ${safe(near)}`}`);
}

function groupText(group: GroupAnswer, { windowMs, timeMs }: WhyAnswer): string {
  const name = Object.entries(group.group).map(([field, value]) => `${field}:${value}`).join(" ");
  const lines = [`${styled("bold", "GROUP")}  ${name === "" ? "all events" : cut(safe(name), 100)}`];
  if (group.open) lines.push(`a signal was open: ${group.open.severity}${group.open.caseName ? ` ${safe(group.open.caseName)}` : ""}, since ${timeText(group.open.firstSeenMs)}, ${plural(group.open.eventsMatched, "event")}`);
  if (group.windows.length) {
    lines.push(windowMs ? `window of ${widthText(windowMs)} up to ${timeText(timeMs)}` : "no window: the event alone", table(
      ["QUERY", "COUNTS", { name: "VALUE", align: "right" }, { name: "EVENTS", align: "right" }, "OLDEST", "NEWEST", "OLDEST LEAVES"],
      group.windows.map((window) => [safe(window.label), window.counts, count(window.value), count(window.events), ...[window.firstMs, window.lastMs, window.leavesMs].map((ms) => (ms === undefined ? "-" : timeText(ms)))]),
    ));
  }
  for (const each of group.cases) {
    const text = `${coloured(each.severity, each.severity)}${each.name ? ` ${safe(each.name)}` : ""}: ${cut(safe(each.text), 80)}`;
    const after = each.isPassedOver ? styled("dim", "   an earlier case was true first") : "";
    lines.push(`${mark(each.holds)} ${text}${after}`, ...each.traces.flatMap((trace) => comparisonLines(trace)));
    if (each.needs.length && !each.isPassedOver) lines.push(`    needs ${safe(each.needs.join(" and "))}`);
  }
  for (const line of group.state) lines.push(`${line.speaks ? mark(line.speaks === "for") : " "} ${line.name}: ${cut(safe(line.text), 160)}`);
  return lines.join("\n");
}

function comparisonLines(trace: ConditionTrace): string[] {
  if (trace.kind !== "compare") return trace.parts.flatMap(comparisonLines);
  return [`    ${mark(trace.holds)} ${trace.text}${styled("dim", `   ${count(trace.left ?? 0)} against ${count(trace.right ?? 0)}`)}`];
}

function answerJson(answer: WhyAnswer) {
  const { rule, outcome } = answer;
  return {
    rule: rule.name, rule_id: rule.id, method: rule.options.detectionMethod, verdict: verdict(answer), outcome: outcomeJson(outcome), time: answer.timeMs, event: answer.event,
    context_events: answer.contextEvents, guards: answer.guards, queries: answer.queries, window_ms: answer.windowMs,
    groups: answer.groups.map(({ group, windows, cases, state, open }) => ({
      group, windows: windows.map(({ firstMs, lastMs, leavesMs, ...rest }) => ({ ...rest, oldest: firstMs ?? null, newest: lastMs ?? null, oldest_leaves: leavesMs ?? null })),
      cases: cases.map(({ name, isPassedOver, ...rest }) => ({ case: name, ...rest, passed_over: isPassedOver })), state,
      open_signal: open ? { case: open.caseName, severity: open.severity, first_seen: open.firstSeenMs, last_seen: open.lastSeenMs, events_matched: open.eventsMatched } : null,
    })),
  };
}

function outcomeJson(outcome: Outcome) {
  if (outcome.kind !== "opened" && outcome.kind !== "extended") return outcome;
  return { kind: outcome.kind, signals: outcome.signals.map(({ id, caseName, severity, group, title }) => ({ id, case: caseName, severity, group, title })) };
}
