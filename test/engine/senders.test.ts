import { beforeAll, describe, expect, test } from "vitest";
import { Instance } from "../../host/engine/instance.ts";
import { createMatcher, type InputProfile } from "../../host/index.ts";
import { packPipelines } from "../../host/packs.ts";
import { plainQueries } from "../../host/matcher.ts";
import { compileKernel } from "../../host/engine/kernel-file.ts";
import { queryOf } from "../support/query.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => void loadKernel("simd"));

const line = new TextEncoder().encode('{"message":"hello","ddtags":"own:1"}\n');
const texts = ["host:h-7", "service:s-7", "source:src-7", "pod:p-7", "own:1", "-host:*", "source:src-8 pod:p-8", "host:\"\""];
const queries = texts.map(queryOf);

/** What the sender of this number says of its events. */
function sender(number: number): InputProfile {
  return { format: "intake", host: `h-${number}`, service: `s-${number}`, source: `src-${number}`, tags: [`pod:p-${number}`, `long:${"x".repeat(number % 97)}`] };
}

describe("senders with words of their own", () => {
  test("each event takes those of its own input, whoever sent before", async () => {
    const matcher = await createMatcher({ queries });
    const found: number[][] = [];
    for (const profile of [sender(7), sender(8), { format: "intake" as const }, sender(7), { format: "intake" as const, host: "" }]) {
      found.push((await matcher.match(line, { ...profile, arrivalMs: 0 })).flatMap((hit) => hit.queries));
    }
    await matcher.close();
    expect(found).toEqual([[0, 1, 2, 3, 4], [4, 6], [4, 5], [0, 1, 2, 3, 4], [4, 7]]);
  });

  test("thousands of them share a plan", async () => {
    const instance = await Instance.create({ variant: "simd", standing: plainQueries(queries), slots: 1, module: await compileKernel("simd") });
    const plans = new Set(Array.from({ length: 5000 }, (_, number) => instance.plan(sender(number))));
    expect(plans.size).toBe(1);
  });

  test("lines of a source that pipelines ask for have a plan without the others' pipelines, and any other source shares one", async () => {
    const pipelines = await packPipelines();
    const instance = await Instance.create({ variant: "simd", standing: plainQueries(queries), pipelines, slots: 1, module: await compileKernel("simd") });
    const plan = (source: string | undefined): unknown => instance.plan({ format: "text", ...(source === undefined ? {} : { source }) });
    const plans = new Set(["auth", "apache", undefined, ...Array.from({ length: 1000 }, (_, i) => `made-up-${i}`)].map(plan));
    expect(plans.size).toBe(3);
  });

  test("with a plan of its own or not, a line is read alike", async () => {
    const pipelines = await packPipelines();
    const failed = new TextEncoder().encode("Mar  1 10:00:00 web-1 sshd[7]: Failed password for root from 203.0.113.9 port 4242 ssh2\n");
    const matcher = await createMatcher({ queries: [queryOf("@network.client.ip:203.0.113.9 @usr.name:root"), queryOf("source:auth"), queryOf("source:other")], pipelines });
    const found = [];
    for (const source of ["auth", "other"]) found.push((await matcher.match(failed, { format: "syslog", source, arrivalMs: Date.UTC(2026, 2, 2) })).flatMap((hit) => hit.queries));
    await matcher.close();
    expect(found[0]).toEqual([0, 1]);
    expect(found[1]).toContain(2);
  });
});
