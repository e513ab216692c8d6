import { readTimestamp } from "../event/timestamp.ts";
import { type Members, type Reader, isMembers, join } from "./reader.ts";
import { type ExpectedSignal, type RuleScenario, type RuleTest, type ScenarioLog, severities } from "./rule.ts";

const known = ["name", "query", "index", "event", "log", "payload", "expected", "expectedResult"];

/**
 * Unit tests of a rule: `tests`, or `ruleQueryPayloads` as Datadog's test call sends them.
 *
 * A test names its query by label or position, and gives an `event` (an envelope) or a `log` or `payload` as a shipper
 * sends it. Those that play several logs are scenarios, and not among these.
 */
export function readTests(members: Members, labels: readonly string[], reader: Reader): RuleTest[] {
  return ["tests", "ruleQueryPayloads"].flatMap((name) =>
    reader.list(members, name, "").flatMap((value, i) => (isScenario(value) ? [] : [readTest(value, `${name}[${i}]`, `test ${i + 1}`, labels, reader)])));
}

/** Those of the `tests` that play `logs` and expect signals. */
export function readScenarios(members: Members, reader: Reader): RuleScenario[] {
  const list = Array.isArray(members.tests) ? members.tests : [];
  return list.flatMap((value, i) => (isScenario(value) ? [readScenario(value, `tests[${i}]`, `test ${i + 1}`, reader)] : []));
}

function isScenario(value: unknown): value is Members {
  return isMembers(value) && value.logs !== undefined && value.logs !== null;
}

/** More copies of one log than any test needs. */
const REPEAT_CAP = 100_000;

function readScenario(members: Members, place: string, fallbackName: string, reader: Reader): RuleScenario {
  reader.unknown(members, ["name", "logs", "expect"], place);
  const { logs } = members;
  const expect = reader.inner(members, "expect", place);
  reader.unknown(expect, ["signals"], join(place, "expect"));
  return {
    name: reader.text(members, "name", place) || fallbackName,
    logs: typeof logs === "string" ? logs : reader.list(members, "logs", place).flatMap((log, i) => readLogs(log, `${join(place, "logs")}[${i}]`, reader)),
    signals: reader.list(expect, "signals", join(place, "expect"), true).map((signal, i) => readExpected(signal, `${join(place, "expect")}.signals[${i}]`, reader)),
  };
}

/** `t` is short for the timestamp; `repeat: {count, step}` stands for that many logs, so many milliseconds apart. */
function readLogs(value: unknown, place: string, reader: Reader): ScenarioLog[] {
  const { t, repeat, ...log } = reader.members(value, place);
  const format = isMembers(log.attributes) ? "log" : "intake";
  const at = t ?? log.timestamp;
  const atMs = at === undefined ? undefined : readTimestamp(at, 0);
  if (at !== undefined && atMs === undefined) reader.problem("rule/bad-date", join(place, t === undefined ? "timestamp" : "t"), `${JSON.stringify(at)} is no time`, "write milliseconds, or such as 2026-03-01T10:00:00Z");
  const again = isMembers(repeat) ? repeat : undefined;
  if (repeat !== undefined && !again) reader.members(repeat, join(place, "repeat"));
  const count = again ? reader.whole(again, "count", join(place, "repeat"), 1, REPEAT_CAP, 1) : 1;
  const step = again ? reader.number(again, "step", join(place, "repeat"), 0, Number.MAX_SAFE_INTEGER, 0) : 0;
  return Array.from({ length: count }, (_, i) => ({ format, event: atMs === undefined ? log : { ...log, timestamp: atMs + i * step } }));
}

function readExpected(value: unknown, place: string, reader: Reader): ExpectedSignal {
  const members = reader.members(value, place);
  reader.unknown(members, ["case", "status", "group", "first", "last", "count_at_least", "title", "message"], place);
  const time = (name: "first" | "last"): number | undefined => {
    const ms = members[name] === undefined ? undefined : readTimestamp(members[name], 0);
    if (members[name] !== undefined && ms === undefined) reader.problem("rule/bad-date", join(place, name), `${JSON.stringify(members[name])} is no time`, "write milliseconds, or such as 2026-03-01T10:00:00Z");
    return ms;
  };
  const given = <T>(name: string, read: () => T): Record<string, T> => (members[name] === undefined || members[name] === null ? {} : { [name]: read() });
  const [first, last] = [time("first"), time("last")];
  return {
    ...given("case", () => reader.text(members, "case", place)),
    ...given("status", () => reader.oneOf(members.status, severities, join(place, "status"), "info")),
    ...given("group", () => Object.fromEntries(Object.entries(reader.inner(members, "group", place)).map(([name, text]) => [name, String(text)]))),
    ...given("count_at_least", () => reader.whole(members, "count_at_least", place, 0, Number.MAX_SAFE_INTEGER, 0)),
    ...given("title", () => reader.text(members, "title", place)),
    ...given("message", () => reader.text(members, "message", place)),
    ...(first === undefined ? {} : { first }), ...(last === undefined ? {} : { last }),
  };
}

function readTest(value: unknown, place: string, fallbackName: string, labels: readonly string[], reader: Reader): RuleTest {
  const members = reader.members(value, place);
  reader.unknown(members, known, place);
  const samples = ["event", "log", "payload"].filter((name) => members[name] !== undefined && members[name] !== null);
  const sample = samples[0];
  if (sample === undefined && isMembers(value)) reader.problem("rule/missing-field", join(place, "log"), "the sample log is missing", 'add "log": {...}');
  if (samples.length > 1) reader.problem("rule/misplaced-field", join(place, samples[1]!), `${samples.join(" and ")} are both given`, "give one sample to a test");
  const event = sample === undefined ? {} : members[sample];
  if (!isMembers(event) && typeof event !== "string") reader.problem("rule/wrong-type", join(place, sample ?? "log"), "a sample is an object, or the text of a line", "write {...}");
  const isEnvelope = sample === "event" || (isMembers(event) && isMembers(event.attributes));
  const expectedName = members.expected === undefined ? "expectedResult" : "expected";
  return {
    name: reader.text(members, "name", place) || fallbackName,
    queryLabel: readQueryLabel(members, place, labels, reader),
    // Attributes under one roof are the mark of an envelope, whatever the member is called.
    format: isEnvelope ? "log" : "intake",
    event: typeof event === "string" ? { message: event } : isEnvelope && isMembers(event) ? { attributes: {}, ...event } : event,
    expected: reader.flag(members, expectedName, place, true),
  };
}

function readQueryLabel(members: Members, place: string, labels: readonly string[], reader: Reader): string {
  const name = members.query === undefined ? "index" : "query";
  const given = members[name];
  if (given === undefined || given === null) return labels[0] ?? "a";
  if (typeof given === "number") {
    const label = labels[given];
    if (label === undefined) reader.problem("rule/unknown-label", join(place, name), `there is no query number ${given}`, `the rule has ${labels.length}, counted from 0`);
    return label ?? labels[0] ?? "a";
  }
  const label = reader.text(members, name, place);
  if (typeof given === "string" && !labels.includes(label)) {
    reader.problem("rule/unknown-label", join(place, name), `no query is named ${label}`, `the labels are ${labels.join(", ") || "none"}`);
  }
  return label;
}
