import { beforeAll, describe, expect, test } from "vitest";
import { createEngine, type Signal, signalJson } from "../../host/index.ts";
import { ProblemError } from "../../host/problem.ts";
import { readRule } from "../../host/rule/wire.ts";
import { type Scenario, runScenario } from "../../host/scenario.ts";
import { Generator } from "../match/generate.ts";
import { hasShared, readShared } from "../support/shared.ts";
import { loadKernel, variants } from "../support/wasm.ts";

beforeAll(() => variants.forEach((variant) => loadKernel(variant)), 240_000);

const START = Date.UTC(2024, 0, 1);
const file = "conformance/rules.jsonl";
const scenarios: Scenario[] = hasShared(file)
  ? new TextDecoder().decode(readShared(file)).trim().split("\n").map((line) => JSON.parse(line) as Scenario).filter((scenario) => scenario.method === "signal_correlation")
  : [];

describe.skipIf(!scenarios.length)("[DE-57] signal correlation scenarios (skipped where ../shared is absent)", () => {
  test("there are 5 of them", () => expect(scenarios).toHaveLength(5));
  test.each(scenarios.map((scenario) => [scenario.id, scenario.why, scenario] as const))("%s: %s", async (_id, _why, scenario) => {
    expect(await runScenario(scenario)).toEqual({ outcome: "passed" });
  });
});

type Members = Record<string, unknown>;
const shared = { message: "", isEnabled: true, tags: [] };

function logRule(id: string, more: Members = {}): Members {
  return {
    ...shared, id, name: id, type: "log_detection", tags: [`made:${id}`], options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 600, maxSignalDuration: 3600 },
    queries: [{ name: "a", query: `@kind:${id}`, aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "low", condition: "a > 0" }], ...more,
  };
}

function correlation(id: string, of: readonly string[], condition: string, more: Members = {}, query: Members = {}): Members {
  return {
    ...shared, id, name: id, type: "signal_correlation", options: { detectionMethod: "threshold", evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: of.map((ruleId, i) => ({ name: String.fromCharCode(97 + i), ruleId, aggregation: "event_count", correlatedByFields: ["@usr.id"], ...query })),
    cases: [{ name: "", status: "high", condition }], ...more,
  };
}

function search(id: string, query: string, condition: string, more: Members = {}): Members {
  return { ...logRule(id, more), options: { detectionMethod: "threshold", evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86400 }, queries: [{ name: "a", query, aggregation: "count", groupByFields: ["@usr.id"], dataSource: "security_signals", ...(more.query as Members | undefined) }], cases: [{ name: "", status: "high", condition }] };
}

interface Log {
  readonly timestamp: number;
  readonly kind: string;
  readonly usr?: string;
  readonly more?: Members;
  readonly tags?: readonly string[];
}

const at = (seconds: number, kind: string, usr = "zed", more: Members = {}, tags: readonly string[] = []): Log => ({ timestamp: START + seconds * 1000, kind, usr, more, tags });

interface Run {
  readonly workers?: number;
  readonly batches?: number;
  readonly options?: Partial<Parameters<typeof createEngine>[0]>;
}

async function play(rules: readonly Members[], logs: readonly Log[], { workers = 0, batches = 1, options = {} }: Run = {}): Promise<{ readonly signals: readonly Signal[]; readonly heard: readonly string[] }> {
  const heard: string[] = [];
  const engine = await createEngine({ rules: rules.map((rule) => readRule(rule)), workers, onSignal: ({ kind, signal }) => heard.push(`${kind} ${signal.ruleId} ${signal.id}`), ...options });
  const size = Math.max(1, Math.ceil(logs.length / batches));
  for (let from = 0; from < logs.length; from += size) {
    const lines = logs.slice(from, from + size).map(({ timestamp, kind, usr, more, tags }) => JSON.stringify({ timestamp, message: kind, source: "app", tags, attributes: { kind, ...(usr === undefined ? {} : { usr: { id: usr } }), ...more } }));
    await engine.push(new TextEncoder().encode(`${lines.join("\n")}\n`), { format: "log", arrivalMs: 0 });
  }
  await engine.close();
  return { signals: engine.finalSignals(), heard };
}

const told = (signals: readonly Signal[], rule?: string): unknown[] => signals.filter((signal) => rule === undefined || signal.ruleId === rule)
  .map((signal) => [signal.ruleId, Object.values(signal.group).join(), signal.firstSeenMs - START, signal.lastSeenMs - START, signal.eventsMatched]);

describe("[DE-57] rules over signals", () => {
  test("a signal counts once, when it opens, however often it is extended; the new one has the samples and tags of both", async () => {
    const logs = [at(0, "a"), at(1, "a"), at(2, "a"), at(300, "b"), at(301, "b")];
    const { signals, heard } = await play([logRule("a"), logRule("b"), correlation("c", ["a", "b"], "a > 0 && b > 0")], logs);
    expect(told(signals)).toEqual([["a", "zed", 0, 2000, 3], ["b", "zed", 300_000, 301_000, 2], ["c", "zed", 300_000, 300_000, 2]]);
    expect(signals[2]!.samples).toHaveLength(5);
    expect(signals[2]!.tags).toEqual(["made:a", "made:b"]);
    // What it is made of opens before it does.
    expect(heard.map((each) => each.split(" ").slice(0, 2).join(" "))).toEqual(["opened a", "extended a", "extended a", "opened b", "opened c", "extended b"]);
  });

  test("correlation over correlation", async () => {
    const rules = [correlation("top", ["mid", "d"], "a > 0 THEN b > 0"), correlation("mid", ["a", "b"], "a > 0 && b > 0"), logRule("a"), logRule("b"), logRule("d")];
    const { signals } = await play(rules, [at(0, "a"), at(10, "b"), at(20, "d"), at(30, "d", "amy"), at(40, "a", "amy"), at(50, "b", "amy")]);
    expect(told(signals, "mid")).toEqual([["mid", "zed", 10_000, 10_000, 2], ["mid", "amy", 50_000, 50_000, 2]]);
    // For amy d came first.
    expect(told(signals, "top")).toEqual([["top", "zed", 20_000, 20_000, 1]]);
  });

  test("rules that would feed each other in a circle are refused, with the place and the way out", async () => {
    const rules = [logRule("a"), correlation("x", ["a", "y"], "a > 0"), correlation("y", ["z"], "a > 0"), correlation("z", ["x"], "a > 0")];
    const error = await play(rules, []).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ProblemError);
    expect((error as ProblemError).problems).toEqual([
      { code: "rule/signal-cycle", place: "queries[0].ruleId", message: "rules would feed each other in a circle: x reads y reads z reads x", hint: expect.stringContaining("behind the other") as string },
    ]);
    await expect(play([correlation("self", ["self"], "a > 0")], [])).rejects.toThrow("self reads self");
  });

  test("suppressed signals are not seen", async () => {
    const rules = [logRule("a"), logRule("b"), correlation("c", ["a", "b"], "a > 0 && b > 0")];
    const { readSuppressions } = await import("../../host/index.ts");
    const suppressions = readSuppressions([{ name: "s", enabled: true, rule_query: "id:a", suppression_query: "@usr.id:zed" }]);
    const { signals } = await play(rules, [at(0, "a"), at(1, "b"), at(2, "a", "amy"), at(3, "b", "amy")], { options: { suppressions } });
    expect(told(signals, "c")).toEqual([["c", "amy", 3000, 3000, 2]]);
  });

  test("joined by the group, by attributes, by tags, by each value of several", async () => {
    const by = (field: string): Members => correlation("c", ["a", "b"], "a > 0 && b > 0", {}, { correlatedByFields: [field] });
    const groups = async (field: string, logs: readonly Log[]): Promise<unknown[]> => {
      const { signals } = await play([logRule("a"), logRule("b"), by(field)], logs);
      return signals.filter((signal) => signal.ruleId === "c").map((signal) => signal.group);
    };
    expect(await groups("@ip", [at(0, "a", "zed", { ip: "10.0.0.1" }), at(1, "b", "amy", { ip: "10.0.0.1" })])).toEqual([{ "@ip": "10.0.0.1" }]);
    expect(await groups("team", [at(0, "a", "zed", {}, ["team:x"]), at(1, "b", "amy", {}, ["team:x", "team:y"])])).toEqual([{ team: "x" }]);
    expect(await groups("@ip", [at(0, "a", "zed", { ip: ["x", "y"] }), at(1, "b", "amy", { ip: ["y", "x"] })])).toEqual([{ "@ip": "y" }, { "@ip": "x" }].toSorted((a, b) => (a["@ip"] < b["@ip"] ? -1 : 1)));
    expect(await groups("@ip", [at(0, "a"), at(1, "b")])).toEqual([]);
  });

  test("correlatedQueryIndex looks only into the events of that query", async () => {
    const two = logRule("a", {
      options: { detectionMethod: "threshold", evaluationWindow: 60, keepAlive: 600, maxSignalDuration: 3600 },
      queries: [{ name: "x", query: "@kind:x", groupByFields: ["@usr.id"] }, { name: "y", query: "@kind:y", groupByFields: ["@actor"] }], cases: [{ name: "", status: "low", condition: "x > 0 && y > 0" }],
    });
    const logs = [at(0, "x", "zed", { ip: "1" }), at(1, "y", undefined, { actor: "zed", ip: "2" }), at(2, "b", "zed", { ip: "1" }), at(3, "b", "amy", { ip: "2" })];
    const groups = async (field: string, index?: number): Promise<unknown[]> => {
      const rule = correlation("c", ["a", "b"], "a > 0 && b > 0", {}, { correlatedByFields: [field] });
      (rule.queries as Members[])[0] = { ...(rule.queries as Members[])[0], correlatedQueryIndex: index };
      return (await play([two, logRule("b"), rule], logs)).signals.filter((signal) => signal.ruleId === "c").flatMap((signal) => Object.values(signal.group));
    };
    expect((await groups("@ip")).toSorted()).toEqual(["1", "2"]);
    expect(await groups("@ip", 0)).toEqual(["1"]);
    expect(await groups("@ip", 1)).toEqual(["2"]);
  });

  test("a search over signals: severity, rule, group, tags, distinct rules; never over what a search made", async () => {
    const grave = logRule("b", { cases: [{ name: "", status: "critical", condition: "a > 0" }] });
    const found = async (query: string, condition = "a > 0", more: Members = {}): Promise<unknown[]> => {
      const { signals } = await play([logRule("a"), grave, search("s", query, condition, more), search("t", "@workflow.rule.id:s", "a > 0")], [at(0, "a"), at(10, "b"), at(20, "a", "amy")]);
      expect(told(signals, "t")).toEqual([]);
      return told(signals, "s").map((each) => (each as unknown[]).slice(1));
    };
    expect(await found("status:critical")).toEqual([["zed", 10_000, 10_000, 1]]);
    expect(await found("@workflow.rule.id:a @usr.id:amy")).toEqual([["amy", 20_000, 20_000, 1]]);
    expect(await found("made:b @workflow.triage.state:open")).toEqual([["zed", 10_000, 10_000, 1]]);
    expect(await found("*", "a > 1", { query: { aggregation: "cardinality", distinctFields: ["@workflow.rule.id"] } })).toEqual([["zed", 10_000, 10_000, 2]]);
  });

  test("a sequence whose steps are signals", async () => {
    const rule = {
      ...shared, id: "s", name: "s", type: "log_detection",
      options: {
        detectionMethod: "sequence_detection", keepAlive: 3600, maxSignalDuration: 86400,
        sequenceDetectionOptions: { steps: [{ name: "one", condition: "a > 0", evaluationWindow: 60 }, { name: "two", condition: "b > 0", evaluationWindow: 60 }], stepTransitions: [{ parent: "one", child: "two", evaluationWindow: 900 }] },
      },
      queries: [{ name: "a", ruleId: "a", correlatedByFields: ["@usr.id"] }, { name: "b", query: "status:low @workflow.rule.id:b", dataSource: "security_signals", groupByFields: ["@usr.id"] }],
      cases: [{ name: "", status: "high", condition: "two > 0" }],
    };
    const { signals } = await play([logRule("a"), logRule("b"), rule], [at(0, "a"), at(100, "b"), at(0, "b", "amy"), at(100, "a", "amy")]);
    expect(told(signals, "s")).toEqual([["s", "zed", 100_000, 100_000, 2]]);
  });
});

const many = [
  logRule("a"),
  logRule("b", { options: { detectionMethod: "threshold", evaluationWindow: 60, keepAlive: 60, maxSignalDuration: 300 }, cases: [{ name: "", status: "medium", condition: "a > 1" }] }),
  correlation("both", ["a", "b"], "a > 0 && b > 0"),
  correlation("alone", ["a"], "a > 0", { options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 0, maxSignalDuration: 3600 } }),
  correlation("after", ["a", "b"], "a > 0 THEN b > 1"),
  correlation("top", ["both", "alone"], "a > 0 && b > 2"),
  correlation("all", ["a", "b", "both"], "c > 0 && a > 2", { message: "{{events_matched}} of {{@usr.id}}" }, { correlatedByFields: [] }),
];

function generated(random: Generator, count: number): Log[] {
  let seconds = 0;
  return Array.from({ length: count }, () => {
    seconds += random.chance(0.2) ? 0 : random.below(90);
    return at(seconds, random.chance(0.6) ? "a" : "b", `u${random.below(4)}`);
  });
}

describe("[DE-57] signals over signals, whole", () => {
  test("the same bytes for every number of workers and any cut", async () => {
    const logs = generated(new Generator(7), 3000);
    const bytes = async (run: Run): Promise<string> => {
      const { signals, heard } = await play(many, logs, run);
      return [...signals.map((signal) => JSON.stringify(signalJson(signal))), ...heard].join("\n");
    };
    const expected = await bytes({});
    expect(expected.split("\n").length).toBeGreaterThan(1000);
    for (const run of [{ workers: 1 }, { workers: 2, batches: 3 }, { workers: 3, batches: 50 }, { batches: 700 }]) expect(await bytes(run) === expected, JSON.stringify(run)).toBe(true);
  }, 60_000);

  test("whoever hears of each signal ends up with those that stand, though some lost their last match", async () => {
    let lost = 0;
    for (let seed = 0; seed < 30; seed++) {
      const random = new Generator(seed);
      const late = generated(random, 150).map((log, i) => ({ log, i, atMs: log.timestamp + (random.chance(0.4) ? random.below(300_000) : 0) })).toSorted((x, y) => x.atMs - y.atMs || x.i - y.i).map(({ log }) => log);
      const kept = new Set<string>();
      const { signals } = await play(many, late, { options: { onSignal: ({ signal, gone = [] }) => {
        kept.add(signal.id);
        for (const { id } of gone) kept.delete(id);
        if (gone.includes(signal)) lost++;
      } } });
      expect([...kept].toSorted(), `seed ${seed}`).toEqual(signals.map(({ id }) => id).toSorted());
    }
    expect(lost).toBeGreaterThan(0);
  }, 60_000);

  test("logs that come late leave the signals of the ordered stream", async () => {
    let found = 0;
    for (let seed = 0; seed < 100; seed++) {
      const random = new Generator(seed);
      const logs = generated(random, 150);
      const late = logs.map((log, i) => ({ log, i, atMs: log.timestamp + (random.chance(0.3) ? random.below(300_000) : 0) })).toSorted((x, y) => x.atMs - y.atMs || x.i - y.i).map(({ log }) => log);
      // Of equal times the one that came first is first; so they are told apart for this.
      const apart = (list: readonly Log[]): Log[] => list.map((log) => ({ ...log, timestamp: log.timestamp * 1 + logs.indexOf(log) }));
      const [ordered, disordered] = [await play(many, apart(logs)), await play(many, apart(late))];
      const sorted = (signals: readonly Signal[]): unknown[] => told(signals).toSorted((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1));
      expect(sorted(disordered.signals), `seed ${seed}`).toEqual(sorted(ordered.signals));
      found += ordered.signals.length;
    }
    expect(found).toBeGreaterThan(3000);
  }, 120_000);
});
