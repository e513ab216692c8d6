import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ColumnPlan } from "../../host/engine/columns.ts";
import { Matching } from "../../host/engine/matching/matching.ts";
import { PipelinePlanner } from "../../host/engine/pipelines/planner.ts";
import { shapeOf } from "../../host/engine/shapes.ts";
import { createEngine } from "../../host/index.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { standingQueries } from "../../host/rule/standing.ts";
import { readRule } from "../../host/rule/wire.ts";
import type { Signal } from "../../host/signal/signal.ts";
import { loadKernel } from "../support/wasm.ts";
import { ARRIVAL_MS, type Samples, content, found, linesOf, madeEvent, saasPack } from "./saas-support.ts";

beforeAll(() => void loadKernel("simd"));

const raw = (file: string, source: string): Samples => ({ file, source, format: "raw" });
const shown: Readonly<Record<string, readonly Samples[]>> = {
  okta: [raw("system-log.ndjson", "okta")],
  github: [raw("audit-log.ndjson", "github")],
  "1password": [raw("events.ndjson", "1password")],
  cloudflare: [raw("edge.ndjson", "cloudflare"), raw("audit.ndjson", "cloudflare.audit"), raw("gateway.ndjson", "cloudflare.gateway"), raw("access.ndjson", "cloudflare.access")],
  akamai: [raw("waf.ndjson", "akamai.waf"), raw("eaa.ndjson", "akamai.eaa"), raw("etp.ndjson", "akamai.etp")],
  dns: [raw("route53.ndjson", "route53"), raw("zeek.ndjson", "dns"), { file: "named.txt", source: "named", format: "text" }],
};
/** Of the lists, and beyond them. */
const rulesWanted: Readonly<Record<string, number>> = { okta: 15 + 9, github: 14 + 8, "1password": 8 + 1, cloudflare: 7, akamai: 4, dns: 8 };
/** What threat intelligence says is not in a sender's events. */
const elsewhere = new Set(["op-tor-access/tor", "dns-threat-intel/ti"]);

/** Signals of the pack's rules over all its samples, through the engine: pipelines on columns. */
async function signalsOf(name: string, rules: readonly Rule[]): Promise<readonly Signal[]> {
  const { pack } = saasPack(name);
  const engine = await createEngine({ rules: [...rules], pipelines: pack.pipelines });
  for (const samples of shown[name]!) {
    const { format, source, file } = samples;
    await engine.push(new TextEncoder().encode(`${linesOf(name, samples).join("\n")}\n`), { format, source, arrivalMs: ARRIVAL_MS, partition: file });
  }
  await engine.close();
  return engine.finalSignals();
}

describe.each(Object.keys(shown))("%s", (name) => {
  const { pack, rules } = saasPack(name);
  const events = shown[name]!.map((samples) => ({ samples, events: linesOf(name, samples).map((line) => madeEvent(pack, line, samples)) }));

  test("has every rule of its list, and nothing to mend", () => {
    expect(pack.problems).toEqual([]);
    expect([rules.length, new Set(rules.map(({ id }) => id)).size]).toEqual([rulesWanted[name], rulesWanted[name]]);
  });

  test.each(events.map((each) => [each.samples.file, each] as const))(`[IN-27] ${name}: %s becomes its golden events`, (file, each) => {
    const golden = join(content, name, "golden", file.replace(/\..*$/, ".json"));
    if (process.env.VESPID_WRITE_GOLDEN) writeFileSync(golden, `[\n${each.events.map((event) => JSON.stringify(event)).join(",\n")}\n]\n`);
    expect(each.events).toEqual(JSON.parse(readFileSync(golden, "utf8")));
  });

  test("each query finds one of the samples, and none finds all of a source", () => {
    const all = events.flatMap((each) => each.events.map((event) => found(rules, event)));
    const blind = rules.flatMap((rule) => rule.queries.map(({ label }) => `${rule.id}/${label}`)).filter((query) => !all.some((each) => each.includes(query)));
    expect(blind.filter((query) => !elsewhere.has(query))).toEqual([]);
    for (const each of events.filter(({ events: some }) => some.length > 2)) {
      expect(rules.flatMap((rule) => rule.queries.map(({ label }) => `${rule.id}/${label}`)).filter((query) => each.events.every((event) => found(rules, event).includes(query)))).toEqual([]);
    }
  });

  test("its pipelines run on columns, no event is made by itself", () => {
    const columns = new ColumnPlan();
    const standing = standingQueries(rules);
    new Matching(columns, standing);
    for (const query of standing) shapeOf(query, columns);
    expect(new PipelinePlanner(columns, {}).plan(pack.pipelines).length).toBeGreaterThan(0);
  });

  test("the engine finds what the pipelines of objects find, query by query", async () => {
    const wanted = new Map<string, number>();
    for (const each of events) for (const event of each.events) for (const query of found(rules, event)) wanted.set(query, (wanted.get(query) ?? 0) + 1);
    // Each query as a rule of its own, with a signal from its first event on.
    const asked = rules.flatMap((rule) => rule.queries.map(({ label, text }) => readRule({
      id: `${rule.id}/${label}`, name: label, type: "log_detection", isEnabled: true, message: "", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 86_400, keepAlive: 86_400, maxSignalDuration: 86_400 },
      queries: [{ name: "a", query: text, aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "info", condition: "a > 0" }],
    })));
    const counts = (await signalsOf(name, asked)).map(({ ruleId, eventsMatched }) => [ruleId, eventsMatched]);
    expect(counts.toSorted()).toEqual([...wanted].toSorted());
  });
});
