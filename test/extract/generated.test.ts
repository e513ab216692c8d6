import { afterAll, describe, expect, test } from "vitest";
import { variants } from "../support/wasm.ts";
import { compareWithJson } from "./compare.ts";
import { TextMaker, shapes } from "./corpus.ts";
import { plans } from "./plans.ts";
import { Reader } from "./support.ts";

const ROUNDS = 44;
const FIELDS_PER_VARIANT = 1_000_000;
const LINES_PER_ROUND = 400;

describe.each(variants)("generated records, %s", (variant) => {
  let total = 0;
  afterAll(() => expect(total, "fields compared").toBeGreaterThan(FIELDS_PER_VARIANT));

  test.each(Object.keys(plans).flatMap((plan) => Object.keys(shapes).map((shape) => [plan, shape] as const)))(
    "plan %s over %s text reads as JSON.parse does",
    (plan, shape) => {
      const columns = plans[plan] ?? [];
      const reader = new Reader(variant, columns);
      let fields = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const maker = new TextMaker(round * 7919 + 17, shapes[shape] ?? shapes["tidy"]!);
        // Few different lines, met again and again, so that both learning and prediction are exercised.
        const pool = Array.from({ length: 60 }, () => maker.line());
        const lines = Array.from({ length: LINES_PER_ROUND }, () => (maker.random.chance(0.7) ? maker.random.pick(pool) : maker.line()));
        const text = lines.join(maker.random.chance(0.2) ? "\r\n" : "\n") + (maker.random.chance(0.5) ? "\n" : "");
        reader.lineByLine = round % 2 === 1;
        fields += compareWithJson(reader, columns, Buffer.from(text), round % 64);
      }
      expect(fields).toBeGreaterThan(1000);
      total += fields;
    },
  );
});
