import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { createEngine, type Signal } from "../../host/index.ts";
import { vespid } from "../cli/support.ts";
import { loadKernel } from "../support/wasm.ts";
import { content, found, queriesOf } from "./cloud-support.ts";
import { hostPack, linesOf, sampleEvent } from "./host-support.ts";

beforeAll(() => void loadKernel("simd"));

/** Rules by pack, and the sample files that are to show each of their queries. */
const packs = {
  kubernetes: { rules: 23, samples: ["records.ndjson"] },
  "linux-auth": { rules: 19, samples: ["auth.txt", "audit.ndjson"] },
  windows: { rules: 21, samples: ["records.ndjson"] },
  "web-access": { rules: 14, samples: ["access.txt", "iis.ndjson"] },
  workload: { rules: 14, samples: ["records.ndjson"] },
  "audit-trail": { rules: 5, samples: [] },
  "cross-source": { rules: 8, samples: [] },
} as const;
const names = Object.keys(packs) as ReadonlyArray<keyof typeof packs>;
/** What other sources and lists feed. */
const elsewhere = new Set(["eks-access-backdoor/entry", "web-app-auth-stuffing/users", "web-app-auth-stuffing/ok", "web-threat-intel-success/ti"]);

function eventsOf(name: keyof typeof packs, file: string): LogEvent[] {
  const pack = hostPack(name);
  return linesOf(join(content, name, "tests", file)).map((line) => sampleEvent(pack, line));
}

describe.each(names)("[CP-13] %s", (name) => {
  const pack = hostPack(name);
  const { rules, samples } = packs[name];
  const files = [...samples];

  test("is whole", () => {
    expect(pack.pack.problems).toEqual([]);
    expect([pack.rules.length, new Set(pack.rules.map(({ id }) => id)).size]).toEqual([rules, rules]);
    expect(readFileSync(join(content, name, "guide.md"), "utf8")).toMatch(/^# .*\n[\s\S]*## Send\n[\s\S]*## Rights\n/);
  });

  test.each(files)("[IN-27] %s becomes its golden events", (file) => {
    const golden = join(content, name, "golden", `${file.replace(/\..*$/, "")}.json`);
    const events = eventsOf(name, file);
    if (process.env.VESPID_WRITE_GOLDEN) writeFileSync(golden, `[\n${events.map((event) => JSON.stringify(event)).join(",\n")}\n]\n`);
    expect(events).toEqual(JSON.parse(readFileSync(golden, "utf8")));
  });

  test.runIf(files.length > 0)("each query finds one of the samples, and none finds all", () => {
    const events = files.flatMap((file) => eventsOf(name, file));
    const queries = pack.rules.flatMap(queriesOf);
    const counts = new Map<string, number>(queries.map(({ rule, label }) => [`${rule.id}/${label}`, 0]));
    for (const event of events) for (const query of found(queries, event)) counts.set(query, counts.get(query)! + 1);
    expect([...counts].filter(([query, count]) => (count === 0 && !elsewhere.has(query)) || count === events.length)).toEqual([]);
  });

  test("its rules pass their own tests both ways, are advised nothing, and none runs on every event", async () => {
    const folder = join(content, name, "rules");
    const [tested, linted, explained] = await Promise.all([vespid(["rules", "test", folder]), vespid(["rules", "lint", folder]), vespid(["rules", "explain", "--json", folder])]);
    expect(tested.code, tested.stdout).toBe(0);
    expect(tested.stdout).toMatch(/(\d+) of \1 rules tested, \1 both ways; (\d+) of \2 queries matched/);
    // Those over signals need other rules' signals: they are played below.
    if (name !== "cross-source") expect(tested.stdout).toMatch(/(\d+) of \1 cases reached/);
    expect([linted.code, linted.stdout]).toEqual([0, expect.stringContaining(" 0 warnings")]);
    const costs = explained.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as { readonly rule_id: string; readonly rule_cost?: string });
    expect(costs.filter(({ rule_cost }) => rule_cost === "always")).toEqual([]);
  });
});

describe("rules over signals", () => {
  const START = Date.UTC(2026, 2, 1, 10);
  const made = (id: string, status: string) => ({
    id, name: id, message: "m", isEnabled: true, type: "log_detection", tags: [`content:${id}`], queries: [{ name: "a", query: `@kind:${id}`, groupByFields: ["@usr.id"] }],
    cases: [{ name: "", status, condition: "a > 0" }], options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 60, maxSignalDuration: 3600 },
  });
  async function played(id: string, kinds: readonly string[], status = "medium"): Promise<readonly Signal[]> {
    const rule = hostPack("cross-source").rules.find((each) => each.id === id)!;
    const { readRule } = await import("../../host/rule/wire.ts");
    const engine = await createEngine({ rules: [rule, ...[...new Set(kinds)].map((kind) => readRule(made(kind, status)))] });
    const text = kinds.map((kind, i) => `${JSON.stringify({ timestamp: START + i * 600_000, kind, usr: { id: "mina" } })}\n`).join("");
    await engine.push(new TextEncoder().encode(text), { format: "intake", arrivalMs: START });
    await engine.close();
    return engine.finalSignals().filter(({ ruleId }) => ruleId === id);
  }

  test.each([
    ["three of them", ["r1", "r2", "r3"], "medium", ["high"]],
    ["five of them", ["r1", "r2", "r3", "r4", "r5"], "high", ["critical"]],
    ["one of them three times", ["r1", "r1", "r1"], "medium", []],
    ["three small ones", ["r1", "r2", "r3"], "low", []],
  ] as const)("several signals on one user: %s", async (_what, kinds, status, severities) => {
    const signals = await played("x-risky-entity-chain", kinds, status);
    expect(signals.map(({ severity }) => severity)).toEqual(severities);
    for (const { group } of signals) expect(group).toEqual({ "@usr.id": "mina" });
  });

  test("a login from elsewhere, then a bulk read; the other way round is none", async () => {
    expect((await played("x-exfil-after-login", ["okta-impossible-travel", "github-mass-clone"])).map(({ severity }) => severity)).toEqual(["critical"]);
    expect(await played("x-exfil-after-login", ["github-mass-clone", "okta-impossible-travel"])).toEqual([]);
  });
});
