import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../host/index.ts";
import { signalText } from "../../host/signal/signal.ts";
import { burst, chain, fresh } from "../serve/rules.ts";
import { loadKernel } from "../support/wasm.ts";
import { type Came, entryOf, folders, journalWith, setupOf, within } from "./support.ts";

const at = folders();
const startMs = Date.parse("2026-03-02T08:00:00Z");
const rules = [burst, fresh, chain];
const came: Came[] = Array.from({ length: 60 }, (_, i) => ({
  arrivalMs: startMs + i * 2000,
  events: Array.from({ length: 20 }, (_each, k) => ({ ddsource: "sso", timestamp: startMs + i * 2000 + k, evt: { outcome: k % 7 ? "failure" : "success" }, usr: { id: `user-${(i * 7 + k) % 9}` }, network: { client: { ip: `192.0.2.${(i + k) % 30}` } } })),
}));

function vespid(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "../../host/cli/main.ts"), "history", "run", ...args], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
}

/** What an engine prints of these. */
async function lines(events: readonly Came[], wires: readonly Record<string, unknown>[]): Promise<string> {
  const engine = await createEngine(setupOf(wires));
  for (const each of events) {
    const { partition, arrivalMs, profile, bytes } = entryOf(each);
    await engine.push(bytes, { ...profile, arrivalMs, partition });
  }
  await engine.close();
  return engine.finalSignals().map((signal) => `${signalText(signal)}\n`).join("");
}

describe("vespid history run", () => {
  beforeAll(async () => {
    loadKernel("simd");
    await (await journalWith(at("data"), came)).close();
    writeFileSync(at("rules.json"), JSON.stringify(rules));
    writeFileSync(at("data/rules.good.json"), JSON.stringify({ form: 1, pack: "none", rules: ["kept.json"], pipelines: [], settings: [], texts: { "kept.json": JSON.stringify(rules) } }));
    writeFileSync(at("logs.ndjson"), came.flatMap(({ events = [] }) => events.map((event) => `${JSON.stringify(event)}\n`)).join(""));
  });

  test("[HJ-02] runs rules over a journal, all of it or a range, and one rule the server judged by", async () => {
    const all = vespid("--rules", at("rules.json"), "--data", at("data"), "--pack", "none", "--json");
    expect([all.status, all.stderr]).toEqual([0, expect.stringMatching(/^1,?200 events/)]);
    expect(all.stdout).toBe(await lines(came, rules));
    const [fromMs, toMs] = [startMs + 20_000, startMs + 60_007];
    const some = vespid("--rule", "burst", "--data", at("data"), "--pack", "none", "--json", "--from", new Date(fromMs).toISOString(), "--to", String(toMs), "--out", at("out.jsonl"));
    expect([some.status, some.stdout]).toEqual([0, await lines(within(came, fromMs, toMs), [burst])]);
    expect(readFileSync(at("out.jsonl"), "utf8")).toBe(some.stdout);
  });

  test("[HJ-01] runs them over files of a range, and shows a table", async () => {
    const [fromMs, toMs] = [startMs + 20_000, startMs + 60_007];
    const found = vespid("--rules", at("rules.json"), "--from", String(fromMs), "--to", String(toMs), "--pack", "none", "--json", at("logs.ndjson"));
    const ids = (text: string): string[] => text.trimEnd().split("\n").map((line) => JSON.stringify({ ...JSON.parse(line), samples: 0 })).sort();
    expect([found.status, found.stderr]).toEqual([0, expect.stringContaining("signals")]);
    expect(ids(found.stdout)).toEqual(ids(await lines(within(came, fromMs, toMs), rules)));
    const table = vespid("--rules", at("rules.json"), "--pack", "none", at("logs.ndjson"));
    expect(table.stdout).toContain("SEVERITY");
  });

  test("says what is not right", () => {
    for (const [args, text] of [
      [["--rules", at("rules.json"), "--data", at("nowhere")], "there is no such folder"], [["--data", at("nowhere")], "--rules"], [["--rules", at("rules.json"), "--rule", "nothing", "--data", at("data")], "no rule has this id"],
      [["--rules", at("rules.json"), "--from", "now", "--to", "now-1h", "--data", at("data")], "--from is not before --to"], [["--rules", at("rules.json"), "--from", "soon", "--data", at("data")], "is no time"],
    ] as const) {
      const { status, stderr, stdout } = vespid(...args);
      expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining(text)]);
    }
  });
});
