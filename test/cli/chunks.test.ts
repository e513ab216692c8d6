import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { ChunkSource } from "../../host/batch/input-source.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const CHUNKS = 200;

async function* chunks(seen: WeakRef<Uint8Array>[]): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < CHUNKS; i++) {
    const chunk = new Uint8Array(1000).fill(i);
    seen.push(new WeakRef(chunk));
    yield chunk;
  }
}

describe("chunks of a producer", () => {
  test.each([undefined, 50])("are let go once read, though a signal may end the input at any time (waiting %s ms)", async (waitMs) => {
    const seen: WeakRef<Uint8Array>[] = [];
    const source = new ChunkSource(chunks(seen), new AbortController().signal);
    const into = new Uint8Array(1000);
    let bytes = 0;
    for (let count = await source.read(into, waitMs); count; count = await source.read(into, waitMs)) bytes += count;
    expect(bytes).toBe(CHUNKS * 1000);
    await new Promise((resolve) => setTimeout(resolve, 10));
    collectGarbage();
    expect(seen.filter((chunk) => chunk.deref()).length).toBeLessThan(5);
  });

  test("a signal ends a wait that nothing else would end, and a short wait is answered", async () => {
    const controller = new AbortController();
    const never: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    const source = new ChunkSource(never, controller.signal);
    expect(await source.read(new Uint8Array(8), 5)).toBeUndefined();
    const waiting = source.read(new Uint8Array(8));
    controller.abort();
    expect(await waiting).toBe(0);
    expect(await source.read(new Uint8Array(8))).toBe(0);
  });
});
