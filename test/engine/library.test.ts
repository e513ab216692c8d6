import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromIPC, tableToIPC, Table } from "apache-arrow";
import { beforeAll, describe, expect, test } from "vitest";
import { matchRecordBatch } from "../../host/batch/arrow.ts";
import { Flow } from "../../host/batch/flow.ts";
import type { MatchColumns } from "../../host/batch/matches.ts";
import { createEngine, createMatcher, ProblemError } from "../../host/index.ts";
import { createExecutor, plainQueries } from "../../host/matcher.ts";
import { queryOf } from "../support/query.ts";
import { loadKernel } from "../support/wasm.ts";

const root = join(import.meta.dirname, "..", "..");
const bytes = readFileSync(join(root, "fixtures/demo/logs/auth.ndjson"));
const rule = {
  name: "failures", message: "{{@usr.id}} failed {{events_matched}} times", isEnabled: true, type: "log_detection", tags: ["source:auth"],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "failed", query: "source:auth @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] }],
  cases: [{ name: "", status: "high", condition: "failed > 10" }],
};

beforeAll(() => void loadKernel("simd"));

describe("the library", () => {
  test("[DE-02] [DE-04] ten lines from bytes to signals", async () => {
    const engine = await createEngine({ rules: [rule] });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { kind, signal } of engine.signals()) seen.push(`${kind} ${signal.group["@usr.id"]}`);
    })();
    await engine.push(bytes, { format: "intake", arrivalMs: 0 });
    const stats = await engine.close();
    await reading;
    expect(seen[0]).toBe("opened deploy");
    expect(new Set(seen.slice(1))).toEqual(new Set(["extended deploy"]));
    expect(stats).toMatchObject({ events: 571, signals: 1, lateDropped: 0, malformed: {} });
    expect(engine.finalSignals()[0]).toMatchObject({ severity: "high", eventsMatched: 40, title: "failures" });
  });

  test("a refused rule says everything that is wrong with it", async () => {
    const bad = { ...rule, queries: [{ ...rule.queries[0], query: "(" }], cases: [{ name: "", status: "grave", condition: "3 < a" }] };
    const refused = await createEngine({ rules: [bad] }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ProblemError);
    expect((refused as ProblemError).problems.filter((problem) => problem.level !== "warning").map((problem) => problem.place)).toEqual(
      expect.arrayContaining(["queries[0].query", "cases[0].status", "cases[0].condition"]));
  });

  test("malformed lines cost themselves only", async () => {
    const kept: string[] = [];
    const engine = await createEngine({ rules: [rule], onMalformed: (reason, line) => kept.push(`${reason} ${new TextDecoder().decode(line).trim()}`) });
    const good = '{"ddsource":"auth","evt":{"outcome":"failure"},"usr":{"id":"x"},"timestamp":1}';
    await engine.push(new TextEncoder().encode(`${good}\n{"a":tru}\nnot json\n${good}\n{"a":"\\q"}\n${good}`), { format: "intake", arrivalMs: 0 });
    const stats = await engine.close();
    expect(stats.events).toBe(3);
    expect(stats.matches).toBe(3);
    expect(kept).toHaveLength(3);
    expect(Object.values(stats.malformed).reduce((sum, n) => sum + n, 0)).toBe(3);
  });

  test("bytes that are not UTF-8 do not hide a line", async () => {
    const matcher = await createMatcher({ queries: [queryOf("@usr.id:mallory")] });
    const line = Buffer.concat([Buffer.from('{"usr":{"id":"mallory"},"agent":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}\n')]);
    expect(await matcher.match(line, { format: "raw", arrivalMs: 0 })).toHaveLength(1);
    await matcher.close();
  });

  test("matches leave the workers as Arrow columns over the worker's memory", async () => {
    const executor = await createExecutor({ standing: plainQueries([queryOf("source:auth @evt.outcome:failure")]), variant: "simd" }, 1);
    const files: Uint8Array[] = [];
    const shared: boolean[] = [];
    const flow = new Flow(executor, {
      onMatches(matches: MatchColumns) {
        const batch = matchRecordBatch(matches);
        shared.push(batch.getChildAt(0)!.data[0]!.values.buffer instanceof SharedArrayBuffer);
        files.push(tableToIPC(new Table([batch]), "file"));
      },
      onMalformed() {},
      onLost() {},
    });
    await flow.push(bytes, { format: "intake" }, 0);
    await flow.flush();
    await executor.close();
    expect(shared).toEqual([true]);
    const table = tableFromIPC(files[0]!);
    expect(table.numRows).toBe(flow.stats.matches);
    expect(table.numRows).toBeGreaterThan(70);
    expect(table.getChild("time_ms")!.get(0)).toBeGreaterThan(Date.parse("2026-03-02T08:00:00Z") - 1);
  });
});
