import { zstdCompressSync, constants } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FramingLimits, LineFraming } from "../../host/batch/framing.ts";
import { DamagedInputError } from "../../host/batch/input-damaged.ts";
import { ZstdFrames, zstdContent } from "../../host/batch/input-zstd.ts";

const limits: FramingLimits = { recordBytes: 16, frameBytes: 24, readBytes: 4 };

interface Framed {
  readonly records: string[];
  readonly tooLarge: string[];
  /** Every piece of records, as handed on. */
  readonly pieces: string[];
}

/** Reads `text` in reads of the given sizes, taking after each. */
function frame(text: string, reads: readonly number[]): Framed {
  const framing = new LineFraming(limits);
  const bytes = Buffer.from(text);
  const out: Framed = { records: [], tooLarge: [], pieces: [] };
  let overlong = "";
  const hand = (pieces: ReturnType<LineFraming["take"]>): void => {
    for (const piece of pieces) {
      const part = Buffer.from(piece.bytes).toString();
      if (piece.kind === "records") out.pieces.push(part);
      else {
        overlong += part;
        if (piece.ended) {
          out.tooLarge.push(overlong.replace(/\n$/, ""));
          overlong = "";
        }
      }
    }
  };
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const room = framing.room();
    const count = Math.min(room.length, bytes.length - at, reads[i % reads.length] ?? 1);
    room.set(bytes.subarray(at, at + count));
    framing.filled(count);
    at += count;
    if (i % 3 !== 1 || framing.full) hand(framing.take());
  }
  hand(framing.end());
  out.records.push(...out.pieces.join("").split("\n"));
  return out;
}

describe("framing", () => {
  test.each([
    ["", [""], []],
    ["a", ["a"], []],
    ["a\nb", ["a", "b"], []],
    ["a\nb\n", ["a", "b", ""], []],
    ["\n\n", ["", "", ""], []],
    ["0123456789abcdef\nx\n", ["0123456789abcdef", "x", ""], []],
    ["0123456789abcdefg\nx\n", ["x", ""], ["0123456789abcdefg"]],
    ["x\n0123456789abcdefghijklmnopqrstuvwxyz0123456789\ny", ["x", "y"], ["0123456789abcdefghijklmnopqrstuvwxyz0123456789"]],
    ["0123456789abcdefghijklmnopqrstuvwxyz", [""], ["0123456789abcdefghijklmnopqrstuvwxyz"]],
  ])("%j", (text, records, tooLarge) => {
    for (const reads of [[1], [3], [1000]]) expect(frame(text, reads)).toMatchObject({ records, tooLarge });
  });

  test("any lines in any reads: each comes out once, whole, in order, or apart when it is over the limit", () => {
    const line = fc.oneof({ weight: 6, arbitrary: fc.string({ maxLength: 20 }) }, { weight: 1, arbitrary: fc.string({ minLength: 15, maxLength: 90 }) })
      .map((text) => text.replace(/[^ -~]/g, "."));
    fc.assert(fc.property(fc.array(line, { maxLength: 30 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }), fc.boolean(), (lines, reads, closed) => {
      const text = lines.join("\n") + (closed ? "\n" : "");
      const all = text.split("\n");
      const got = frame(text, reads);
      expect(got.records.filter((each) => each !== "")).toEqual(all.filter((each) => each.length <= limits.recordBytes && each !== ""));
      expect(got.tooLarge).toEqual(all.filter((each) => each.length > limits.recordBytes));
      for (const piece of got.pieces.slice(0, -1)) expect(piece.endsWith("\n")).toBe(true);
    }), { numRuns: 500 });
  });
});

const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]);
const emptySkippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  // One buffer for all chunks, as a reader has it.
  const chunk = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const count = bytes.copy(chunk, 0, at, at + size);
    yield chunk.subarray(0, count);
  }
}

async function unpack(bytes: Buffer, size: number): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of zstdContent(cut(bytes, size))) parts.push(part);
  return Buffer.concat(parts).toString();
}

function packed(text: string, checksum = false): Buffer {
  return zstdCompressSync(Buffer.from(text), { params: { [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0 } });
}

describe("zstd of several frames", () => {
  const long = Array.from({ length: 30_000 }, (_, i) => `line ${i} ${(i * 2654435761) % 4294967296}\n`).join("");
  test.each([
    ["one frame", packed("a\n"), "a\n"],
    ["an empty frame", packed(""), ""],
    ["two frames", Buffer.concat([packed("a\n"), packed("b\n", true)]), "a\nb\n"],
    ["skippable frames between", Buffer.concat([skippable, packed("a\n", true), emptySkippable, skippable, packed("b\n"), skippable]), "a\nb\n"],
    ["blocks of every kind", Buffer.concat([packed("x".repeat(300_000)), packed(long, true), packed("y")]), `${"x".repeat(300_000)}${long}y`],
  ])("%s, whatever the chunks", async (_name, bytes, text) => {
    for (const size of bytes.length < 200 ? [1, 2, 3, 5, 7, 1000] : [997, 65536, 1 << 20]) expect(await unpack(bytes, size) === text, `chunks of ${size}`).toBe(true);
  });

  test("a frame cut short is said, and what came before is read", async () => {
    const bytes = Buffer.concat([packed("a\n"), packed(long)]);
    const parts: Uint8Array[] = [];
    const reading = (async () => {
      for await (const part of zstdContent(cut(bytes.subarray(0, bytes.length - 20), 4096))) parts.push(part);
    })();
    await expect(reading).rejects.toThrow(DamagedInputError);
    expect(Buffer.concat(parts).toString().startsWith("a\nline 0 ")).toBe(true);
  });

  test("bytes that are no frame are said", () => {
    const frames = new ZstdFrames();
    expect(() => [...frames.parts(Buffer.concat([packed("a"), Buffer.from("junk and more")]))]).toThrow(DamagedInputError);
  });
});
