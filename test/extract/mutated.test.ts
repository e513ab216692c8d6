import { describe, expect, test } from "vitest";
import { repairUtf8 } from "../../host/engine/utf8.ts";
import { variants } from "../support/wasm.ts";
import { compareWithJson } from "./compare.ts";
import { Random, TextMaker, shapes } from "./corpus.ts";
import { plans } from "./plans.ts";
import { Reader } from "./support.ts";

/** Over both variants: 100,000 documents, each mutated in one to three places, between neighbours that are whole. */
const DOCUMENTS_PER_VARIANT = 50_000;
const DOCUMENTS_PER_READ = 250;

const insertions = [..."{}[]\",:\\\n\r\t 0123456789-+.eEtfnul\u0000\u007f"].map((c) => Buffer.from(c))
  .concat([Buffer.from("\\u"), Buffer.from('""'), Buffer.from("{}"), Buffer.from("é"), Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from([0xed, 0xa0, 0x80])]);

function mutate(random: Random, source: Buffer): Buffer {
  let bytes = source;
  for (let n = random.below(3); n >= 0; n--) {
    const at = random.below(bytes.length + 1);
    const length = random.chance(0.8) ? 1 : random.below(20);
    const inserted = random.chance(0.5) ? random.pick(insertions) : Buffer.alloc(0);
    const kept = random.chance(0.3) ? bytes.subarray(at) : bytes.subarray(at + length);
    const copied = random.chance(0.1) ? bytes.subarray(at, at + length) : Buffer.alloc(0);
    bytes = Buffer.concat([bytes.subarray(0, at), inserted, copied, kept]);
    if (random.chance(0.05)) bytes = bytes.subarray(0, random.below(bytes.length + 1));
    if (random.chance(0.05) && bytes.length) {
      bytes = Buffer.from(bytes);
      const place = random.below(bytes.length);
      bytes[place] = (bytes[place] ?? 0) ^ (1 << random.below(8));
    }
  }
  return bytes;
}

describe.each(variants)("mutated records, %s", (variant) => {
  test.each(Object.keys(plans))("plan %s: what is refused and what is read equals JSON.parse, neighbours stay whole", (plan) => {
    const columns = plans[plan] ?? [];
    const reader = new Reader(variant, columns);
    const share = DOCUMENTS_PER_VARIANT / Object.keys(plans).length;
    let mutated = 0;
    for (let round = 0; mutated < share; round++) {
      const maker = new TextMaker(round * 104729 + 3, shapes[round % 2 ? "twins" : "tidy"]!);
      const pool = Array.from({ length: 12 }, () => Buffer.from(maker.line()));
      const lines: Buffer[] = [];
      for (let i = 0; i < DOCUMENTS_PER_READ; i++, mutated++) {
        lines.push(mutate(maker.random, maker.random.pick(pool)), maker.random.pick(pool));
      }
      const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]));
      reader.lineByLine = round % 4 >= 2;
      compareWithJson(reader, columns, repairUtf8(bytes).bytes, round % 16);
    }
    expect(mutated).toBeGreaterThanOrEqual(share);
  });
});
