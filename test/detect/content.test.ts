import { beforeAll, describe, expect, test } from "vitest";
import { ContentAnomaly } from "../../host/detect/method/content.ts";
import { ContentRoom } from "../../host/engine/content-room.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { readRule } from "../../host/rule/wire.ts";
import { Generator } from "../match/generate.ts";
import { PlainContent } from "../reference/content.ts";
import { loadKernel, variants } from "../support/wasm.ts";

const DAY_MS = 86_400_000;
const BYTES = 256 * 1024 * 1024;

function ruleOf(similarity: number, similarItems: number): Rule {
  return readRule({
    name: "odd", type: "log_detection", isEnabled: true, message: "odd", tags: [],
    options: {
      detectionMethod: "content_anomaly", evaluationWindow: 3600, keepAlive: 3600, maxSignalDuration: 86400,
      contentAnomalyOptions: { learningDuration: 1, forgetAfter: 2, similarityPercentageThreshold: similarity, nbSimilarItemsThreshold: similarItems },
    },
    queries: [{ name: "a", query: "source:shell", aggregation: "count", groupByFields: ["@usr.id"], metrics: ["@cmd"], distinctFields: [] }],
    cases: [{ name: "odd", status: "low", notifications: [], condition: "a > 0" }],
  });
}

const pool = ["restart", "payments", "api", "server", "kubectl", "get", "pods", "10.0.0.1", "/etc/passwd", "it's", "Ünïcode", "日本語", "x_1", "3,500", "ssh", "-p", "22", "admin@example.com", "a", "b", "c"];

function text(random: Generator): string {
  // Now and then a text of more words than a history begins with.
  const length = random.chance(0.02) ? 60 + random.below(200) : random.below(9);
  return Array.from({ length }, (_, i) => (length > 20 ? `w${random.below(40)}${i % 3}` : random.pick(pool))).join(random.pick([" ", " ", ", "]));
}

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

describe.each(variants)("content anomaly, %s", (variant) => {
  test("[DE-23] odd exactly where the plain comparison of all with all says so", async () => {
    let odd = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const random = new Generator(seed * 31);
      const similarity = random.pick([35, 50, 70, 90, 100]);
      const similarItems = 1 + random.below(4);
      const rule = ruleOf(similarity, similarItems);
      const room = await ContentRoom.create(variant, BYTES);
      let judge = new ContentAnomaly(rule, room);
      const plain = new PlainContent({ learningMs: DAY_MS, forgetMs: 2 * DAY_MS, similarity: similarity / 100, similarItems });
      let ms = 1_700_000_000_000;
      for (let i = 0; i < 400; i++) {
        ms += random.below(DAY_MS / 40);
        const key = random.pick(["ann", "bob", "eve"]);
        const texts = Array.from({ length: 1 + random.below(2) }, () => text(random));
        const expected = plain.isOdd(`0 ${key}`, ms, texts);
        if (expected) odd++;
        expect(judge.isOdd(0, key, ms, [texts]), `seed ${seed}, value ${i}: ${JSON.stringify(texts)}`).toBe(expected);
        if (random.chance(0.01)) {
          const again = new ContentAnomaly(rule, room);
          expect(again.restore(judge.save())).toBeUndefined();
          judge = again;
        }
      }
    }
    expect(odd).toBeGreaterThan(500);
  }, 120_000);

  test("a room too small gives up the groups that were quiet longest, and counts them", async () => {
    const judge = new ContentAnomaly(ruleOf(70, 1), await ContentRoom.create(variant, 4 * 1024 * 1024));
    for (let i = 0; i < 20_000; i++) judge.isOdd(0, `user${i}`, 1_700_000_000_000 + i, [["one of very many"]]);
    const { groups, evicted } = judge.counts();
    expect(evicted).toBeGreaterThan(0);
    expect(groups + evicted).toBe(20_000);
  });

  test("damaged state is refused", async () => {
    const room = await ContentRoom.create(variant, BYTES);
    const judge = new ContentAnomaly(ruleOf(70, 1), room);
    judge.isOdd(0, "ann", 1_700_000_000_000, [["one two three"]]);
    const bytes = judge.save();
    expect(new ContentAnomaly(ruleOf(70, 1), room).restore(bytes.subarray(0, bytes.length - 9))).toContain("damaged");
    expect(new ContentAnomaly(ruleOf(70, 1), room).restore(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0))).toContain("version");
  });
});
