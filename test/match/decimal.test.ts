import { describe, expect, test } from "vitest";
import { hostImports } from "../../host/engine/imports.ts";
import { Random } from "../extract/corpus.ts";
import { loadKernel, variants } from "../support/wasm.ts";

const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;
const AT = 1 << 17;

describe.each(variants)("numbers of texts, %s", (variant) => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const { decimalOf } = new WebAssembly.Instance(loadKernel(variant, "assembly/column/decimal.ts"), hostImports(memory)).exports as unknown as { decimalOf(p: number, n: number): number };
  const u8 = new Uint8Array(memory.buffer);
  // What follows a text is not its own: digits, to be taken for some of it if anything is.
  const kernel = (text: string, shift = 0): number => {
    const bytes = Buffer.from(`${text}98765432109876543210`, "latin1");
    u8.set(bytes, AT + shift);
    return decimalOf(AT + shift, text.length);
  };
  const plain = (text: string): number => (NUMBER.test(text) ? Number(text) : Number.NaN);

  test("digits of every length, each place anything else", () => {
    for (let length = 0; length <= 24; length++) {
      for (const digits of ["0".repeat(length), "9".repeat(length), "1234567890123456789012345".slice(0, length), "0987654321098765432109876".slice(0, length)]) {
        expect(kernel(digits, length % 8), digits).toBe(plain(digits));
        for (let place = 0; place < length; place++) {
          for (const other of "/:.-+eE *\u0000\u007f\u00b0\u00b9\u00f0\u00ff@ipO") {
            const text = digits.slice(0, place) + other + digits.slice(place + 1);
            expect(kernel(text, place % 8), JSON.stringify(text)).toBe(plain(text));
          }
        }
      }
    }
  });

  test("numbers of every form", () => {
    const random = new Random(4);
    const digits = (): string => String(random.below(10 ** random.below(10)));
    for (let i = 0; i < 50_000; i++) {
      const text = `${random.chance(0.2) ? "-" : ""}${digits()}${random.chance(0.5) ? digits() : ""}${random.chance(0.3) ? `.${digits()}` : ""}${random.chance(0.2) ? `e${random.below(40) - 20}` : ""}`;
      expect(kernel(text, i % 16), text).toBe(plain(text));
    }
  });
});
