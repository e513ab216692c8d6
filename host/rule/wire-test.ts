import { type Members, type Reader, isMembers, join } from "./reader.ts";
import type { RuleTest } from "./rule.ts";

const known = ["name", "query", "index", "event", "log", "payload", "expected", "expectedResult"];

/**
 * Unit tests of a rule: `tests`, or `ruleQueryPayloads` as Datadog's test call sends them.
 *
 * A test names its query by label or position, and gives an `event` (an envelope) or a `log` or `payload` as a shipper
 * sends it.
 */
export function readTests(members: Members, labels: readonly string[], reader: Reader): RuleTest[] {
  return ["tests", "ruleQueryPayloads"].flatMap((name) =>
    reader.list(members, name, "").map((value, i) => readTest(value, `${name}[${i}]`, `test ${i + 1}`, labels, reader)));
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
