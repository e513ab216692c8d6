import type { Worker } from "node:worker_threads";
import { beforeAll, describe, expect, test } from "vitest";
import { Flow } from "../../host/batch/flow.ts";
import { createExecutor, plainQueries } from "../../host/matcher.ts";
import { queryOf } from "../support/query.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => void loadKernel("simd"));

const line = (n: number): Uint8Array => new TextEncoder().encode(`{"ddsource":"auth","n":${n}}\n`);

describe("the pool", () => {
  test("a task that fails twice is set aside and reported; the next goes on", async () => {
    const executor = await createExecutor({ standing: plainQueries([queryOf("source:auth")]), variant: "simd" }, 1);
    const lost: string[] = [];
    const order: number[] = [];
    const flow = new Flow(executor, {
      onMatches: (_matches, _profile, firstEvent) => void order.push(firstEvent),
      onMalformed() {},
      onLost: (bytes) => void lost.push(new TextDecoder().decode(bytes).trim()),
    });
    await flow.push(line(1), { format: "intake" }, 0);
    // No plan can be made for these tags: whatever ends a task in its worker takes this way.
    await flow.push(line(2), { format: "intake", tags: 7 as unknown as string[] }, 0);
    await flow.push(line(3), { format: "intake" }, 0);
    await flow.flush();
    await executor.close();
    expect(lost).toEqual(['{"ddsource":"auth","n":2}']);
    expect(flow.stats).toMatchObject({ events: 2, matches: 2 });
    expect(flow.stats.lostBytes).toBe(line(2).length);
    expect(order).toEqual([0, 1]);
  });

  test("a worker that is ended with tasks before it: another does them, and those that come meanwhile", async () => {
    const threads: Worker[] = [];
    const hear = (thread: Worker): void => void threads.push(thread);
    process.on("worker", hear);
    const executor = await createExecutor({ standing: plainQueries([queryOf("source:auth")]), variant: "simd" }, 1);
    const lost: string[] = [];
    const flow = new Flow(executor, { onMatches() {}, onMalformed() {}, onLost: (bytes) => void lost.push(new TextDecoder().decode(bytes).trim()) });
    await flow.push(line(0), { format: "intake" }, 0);
    await flow.flush();
    const many = Buffer.concat(Array.from({ length: 30_000 }, (_, n) => line(n)));
    for (let round = 0; round < 3; round++) {
      await flow.push(many, { format: "intake" }, 0);
      await flow.push(many, { format: "intake" }, 0);
      if (round === 1) void threads[0]!.terminate();
    }
    await flow.flush();
    await executor.close();
    process.off("worker", hear);
    expect(threads.length).toBe(2);
    expect(lost).toEqual([]);
    expect(flow.stats).toMatchObject({ events: 180_001, matches: 180_001, lostBytes: 0 });
  });

  test("more slots than there are: push waits, nothing is lost", async () => {
    const executor = await createExecutor({ standing: plainQueries([queryOf("source:auth")]), variant: "simd" }, 2);
    const flow = new Flow(executor, { onMatches() {}, onMalformed() {}, onLost() {} });
    await Promise.all(Array.from({ length: 200 }, (_, n) => flow.push(line(n), { format: "intake" }, 0)));
    await flow.flush();
    await executor.close();
    expect(flow.stats).toMatchObject({ events: 200, matches: 200 });
  });

  test("a record too large for a slot costs itself only", async () => {
    const executor = await createExecutor({ standing: plainQueries([queryOf("source:auth")]), variant: "simd" }, 0);
    const reasons: string[] = [];
    const flow = new Flow(executor, { onMatches() {}, onMalformed: (reason) => void reasons.push(reason), onLost() {} });
    const big = new TextEncoder().encode(`{"ddsource":"auth","x":"${"a".repeat(3 << 20)}"}\n`);
    await flow.push(Buffer.concat([line(1), big, line(2)]), { format: "intake" }, 0);
    await flow.flush();
    await executor.close();
    expect(reasons).toEqual(["too-large"]);
    expect(flow.stats).toMatchObject({ events: 2, matches: 2, malformed: { "too-large": 1 } });
  });
});
