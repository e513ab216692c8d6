import { describe, expect, test } from "vitest";
import { type InputProfile, type Signal, createEngine } from "../../host/index.ts";
import { hasShared, readShared, readSharedJson } from "../support/shared.ts";

interface Facts {
  readonly distinct: Readonly<Record<string, number>>;
  readonly new_values?: ReadonlyArray<{
    readonly group_by: readonly string[];
    readonly value: string;
    readonly groups: number;
    readonly distinct_values_per_group: Readonly<Record<string, number>>;
    readonly first_seen_lines: readonly number[];
  }>;
}

const input: InputProfile & { readonly arrivalMs: number } = { format: "raw", arrivalMs: Date.UTC(2026, 0, 1) };
const corpora = [["cloudtrail-invictus", "events.jsonl.gz"], ["web-access-apache", "parsed.jsonl.gz"]] as const;
const shared = hasShared("data/cloudtrail-invictus/facts.json");

async function signalsOf(rules: ReadonlyArray<Record<string, unknown>>, bytes: Uint8Array, profile = input): Promise<readonly Signal[]> {
  // Recorded events are not in time order throughout; the facts are worked out in time order.
  const engine = await createEngine({ rules, allowedLatenessSeconds: 100 * 365 * 86400 });
  await engine.push(bytes, profile);
  const stats = await engine.close();
  expect(stats).toMatchObject({ lateDropped: 0, evicted: 0, refused: 0, malformed: {} });
  return engine.finalSignals();
}

function ruleOf(id: string, detectionMethod: string, options: Record<string, unknown>, query: Record<string, unknown>, condition?: string): Record<string, unknown> {
  return {
    id, name: id, type: "log_detection", isEnabled: true, message: "", tags: [], options: { detectionMethod, keepAlive: 0, maxSignalDuration: 86400, ...options },
    queries: [{ name: "a", query: "*", ...query }], cases: [{ name: "", status: "low", condition }],
  };
}

/** Every value of a group is told of once. */
function newValueRule(id: string, metric: string, groupBy: readonly string[]): Record<string, unknown> {
  const newValueOptions = { learningMethod: "threshold", learningThreshold: 0, forgetAfter: 30 };
  return ruleOf(id, "new_value", { newValueOptions }, { aggregation: "new_value", metrics: [`@${metric}`], groupByFields: groupBy.map((field) => `@${field}`) });
}

describe.skipIf(!shared)("learned values of recorded logs (skipped where ../shared is absent)", () => {
  test.each(corpora)("[DE-11] %s: as many new values of each field as it has distinct ones", async (folder, file) => {
    const { distinct } = readSharedJson<Facts>(`data/${folder}/facts.json`);
    const signals = await signalsOf(Object.keys(distinct).map((field) => newValueRule(field, field, [])), readShared(`data/${folder}/${file}`));
    const told = Object.groupBy(signals, ({ ruleId }) => ruleId);
    expect(Object.fromEntries(Object.keys(distinct).map((field) => [field, told[field]?.length]))).toEqual(distinct);
  }, 60_000);

  test("[DE-13] cloudtrail-invictus: new event names of each identity, and the very events", async () => {
    const folder = "data/cloudtrail-invictus";
    const [fact] = readSharedJson<Facts>(`${folder}/facts.json`).new_values!;
    const bytes = readShared(`${folder}/events.jsonl.gz`);
    const signals = await signalsOf([newValueRule("new", fact!.value, fact!.group_by)], bytes);
    const groups = Object.groupBy(signals, ({ group }) => Object.values(group).join(" "));
    expect(Object.fromEntries(Object.entries(groups).map(([group, own]) => [group, own!.length]))).toEqual(fact!.distinct_values_per_group);
    const lineOf = new Map(new TextDecoder().decode(bytes).trimEnd().split("\n").map((line, i) => [(JSON.parse(line) as { eventID: string }).eventID, i]));
    const lines = signals.map(({ samples }) => lineOf.get((samples[0] as { eventID: string }).eventID)!);
    expect(lines.toSorted((a, b) => a - b)).toEqual(fact!.first_seen_lines);
  }, 60_000);

  test("[DE-11] cloudtrail-invictus: an identity's first value is learned in silence, and none while it learns", async () => {
    const [fact] = readSharedJson<Facts>("data/cloudtrail-invictus/facts.json").new_values!;
    const bytes = readShared("data/cloudtrail-invictus/events.jsonl.gz");
    const once = newValueRule("once", fact!.value, fact!.group_by);
    const options = { ...(once.options as Record<string, unknown>), newValueOptions: { learningMethod: "threshold", learningThreshold: 1, forgetAfter: 30 } };
    const learning = { ...(once.options as Record<string, unknown>), newValueOptions: { learningDuration: 1, forgetAfter: 30 } };
    const signals = await signalsOf([{ ...once, options }, { ...once, id: "learning", options: learning }], bytes);
    expect(signals.filter(({ ruleId }) => ruleId === "once")).toHaveLength(fact!.first_seen_lines.length - fact!.groups);
    expect(signals.filter(({ ruleId }) => ruleId === "learning")).toEqual([]);
  }, 60_000);

  test("[DE-03] cloudtrail-invictus: distinct counts over all of it stand between the last condition that holds and the first that does not", async () => {
    const { distinct } = readSharedJson<Facts>("data/cloudtrail-invictus/facts.json");
    const over = (field: string, count: number): Record<string, unknown> =>
      ruleOf(`${field} > ${count}`, "threshold", { evaluationWindow: 86400, keepAlive: 86400 }, { aggregation: "cardinality", distinctFields: [`@${field}`] }, `a > ${count}`);
    const rules = Object.entries(distinct).flatMap(([field, count]) => [over(field, count - 1), over(field, count)]);
    const signals = await signalsOf(rules, readShared("data/cloudtrail-invictus/events.jsonl.gz"));
    const told = signals.map(({ ruleId }) => ruleId).toSorted();
    expect(told).toEqual(Object.entries(distinct).map(([field, count]) => `${field} > ${count - 1}`).toSorted());
  }, 60_000);
});

describe.skipIf(!hasShared("data/labelled-crowdsec/tests.jsonl.gz"))("attacks in recorded lines of 195 services (skipped where ../shared is absent)", () => {
  test("log4shell: the lines with a lookup, and no other", async () => {
    const tests = new TextDecoder().decode(readShared("data/labelled-crowdsec/tests.jsonl.gz")).trimEnd().split("\n");
    const lines = tests.flatMap((line) => (JSON.parse(line) as { lines: string[] }).lines).map((line) => line.replaceAll(/[\r\n]+/g, " ")).filter((line) => line.trim() !== "");
    const expected = lines.filter((line) => /\$\{jndi:ldap:/i.test(line));
    expect(expected.length).toBeGreaterThan(1);
    const rule = ruleOf("log4shell", "hardcoded", { hardcodedEvaluatorType: "log4shell", evaluationWindow: 0 }, { aggregation: "none" });
    const signals = await signalsOf([rule], new TextEncoder().encode(lines.join("\n")), { format: "text", arrivalMs: Date.UTC(2026, 0, 1) });
    expect(signals.map(({ samples }) => (samples[0] as { message: string }).message)).toEqual(expected);
  });
});
