// Generated streams whose exact answers come from a program that shares nothing with the project.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { hasShared, sharedFolder } from "../support/shared.ts";
import { vespid, workFolder } from "./support.ts";

interface Truth {
  readonly auth: { readonly w1: readonly string[]; readonly w4: readonly string[] };
  readonly cloudtrail: { readonly w5: number; readonly perRule: Readonly<Record<string, number>> };
}

interface Signal {
  readonly rule_name: string;
  readonly group: Readonly<Record<string, string>>;
}

const EVENTS = { auth: 120_000, cloudtrail: 20_000 };
const WINDOW_MS = 300_000;

/** A program of the shared folder; what it prints. */
function shared(name: string, ...args: readonly string[]): string {
  return execFileSync(process.execPath, [join(sharedFolder, "bench", name), ...args], { encoding: "utf8", maxBuffer: 1 << 28 });
}

/** Users with more than ten failures and a success inside some window, whichever came first. */
function failedAndPassed(file: string): string[] {
  const byUser = new Map<string, Array<{ timeMs: number; failed: boolean }>>();
  for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
    const event = JSON.parse(line) as { timestamp: string; usr: { id: string }; evt: { outcome: string } };
    const events = byUser.get(event.usr.id) ?? [];
    byUser.set(event.usr.id, events);
    events.push({ timeMs: Date.parse(event.timestamp), failed: event.evt.outcome === "failure" });
  }
  const trips = (events: ReadonlyArray<{ timeMs: number; failed: boolean }>, endMs: number): boolean => {
    const inside = events.filter(({ timeMs }) => timeMs > endMs - WINDOW_MS && timeMs <= endMs);
    const failures = inside.filter(({ failed }) => failed).length;
    return failures > 10 && failures < inside.length;
  };
  return [...byUser].filter(([, events]) => events.some(({ timeMs }) => trips(events, timeMs))).map(([user]) => user).sort();
}

describe.skipIf(!hasShared("bench/oracle.mjs"))("workloads with an oracle (skipped where ../shared is absent)", () => {
  const folder = workFolder();
  const file = (name: string): string => join(folder.path, name);
  const truths = new Map<string, Truth>();

  beforeAll(() => {
    for (const order of ["0", "0.02"]) {
      const late = ["--late", order];
      shared("gen-logs.mjs", "--profile", "auth", "--events", String(EVENTS.auth), ...late, "--out", file(`auth-${order}.ndjson`));
      shared("gen-logs.mjs", "--profile", "cloudtrail", "--events", String(EVENTS.cloudtrail), ...late, "--out", file(`cloud-${order}.ndjson`));
      shared("oracle.mjs", "--auth", file(`auth-${order}.ndjson`), "--cloudtrail", file(`cloud-${order}.ndjson`), "--out", file("truth.json"));
      truths.set(order, JSON.parse(readFileSync(file("truth.json"), "utf8")) as Truth);
    }
    for (const workload of ["w1", "w2", "w3", "w4"]) folder.write(`${workload}.json`, shared("rules-json.mjs", "--workload", workload));
  }, 120_000);

  async function signals(rules: string, logs: string): Promise<Signal[]> {
    const ran = await vespid(["run", "--rules", file(rules), "--format", "raw", "--json", file(logs)]);
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    return ran.stdout.trimEnd().split("\n").filter(Boolean).map((line) => JSON.parse(line) as Signal);
  }
  const groups = async (rules: string, logs: string, field: string): Promise<string[]> =>
    [...new Set((await signals(rules, logs)).map(({ group }) => group[field]!))].sort();

  describe.each(["0", "0.02"])("%s of the events late", (order) => {
    test("W1: failures and a success are joined in whatever order, as a join has none", async () => {
      const joined = await groups("w1.json", `auth-${order}.ndjson`, "@usr.id");
      expect(joined).toEqual(failedAndPassed(file(`auth-${order}.ndjson`)));
      expect(joined).toEqual(expect.arrayContaining([...truths.get(order)!.auth.w1]));
    });

    test.each(["w2", "w3"])("%s: each rule's matches", async (workload) => {
      const counts: Record<string, number> = {};
      for (const { rule_name } of await signals(`${workload}.json`, `cloud-${order}.ndjson`)) counts[rule_name] = (counts[rule_name] ?? 0) + 1;
      const expected = Object.entries(truths.get(order)!.cloudtrail.perRule).filter(([id, count]) => count > 0 && (workload === "w3" || id < "r0100"));
      expect(counts).toEqual(Object.fromEntries(expected));
    });

    test("W4: addresses with failures of more than twenty users", async () => {
      expect(await groups("w4.json", `auth-${order}.ndjson`, "@network.client.ip")).toEqual(truths.get(order)!.auth.w4);
      expect(truths.get(order)!.auth.w4.length).toBeGreaterThan(3);
    });

    test("W5: one query's hits", async () => {
      const query = "@eventSource:iam.amazonaws.com @eventName:(CreateAccessKey OR AttachPolicy OR UpdateRole) -@userIdentity.type:AssumedRole";
      const ran = await vespid(["match", query, "--format", "raw", "--count", file(`cloud-${order}.ndjson`)]);
      expect(truths.get(order)!.cloudtrail.w5).toBeGreaterThan(0);
      expect(ran.stdout.trim()).toBe(String(truths.get(order)!.cloudtrail.w5));
    });
  });
});
