import { describe, expect, test } from "vitest";
import * as layout from "../../assembly/layout.ts";
import { type AddressKernel, AddressScan } from "../../host/engine/addresses.ts";
import { ColumnPlan } from "../../host/engine/columns.ts";
import { hostImports } from "../../host/engine/imports.ts";
import { Arena } from "../../host/engine/memory.ts";
import type { LogEvent } from "../../host/event/event.ts";
import { findAddresses } from "../../host/event/address.ts";
import { valuesOf } from "../../host/query/values.ts";
import { FilledColumns } from "../support/fill-columns.ts";
import { type Variant, loadKernel, variants } from "../support/wasm.ts";
import { Generator } from "./generate.ts";

const EXTRAS = 4096;

interface TestKernel extends AddressKernel {
  clearColumn(descriptor: number, rows: number): void;
}

class Scanner {
  readonly #arena: Arena;
  readonly #kernel: TestKernel;
  readonly #filled: FilledColumns;
  readonly #target: number;
  readonly #scan: AddressScan;

  constructor(variant: Variant) {
    const memory = new WebAssembly.Memory({ initial: 2000, maximum: 65536, shared: true });
    this.#kernel = new WebAssembly.Instance(loadKernel(variant, "assembly/derive/index.ts"), hostImports(memory)).exports as unknown as TestKernel;
    this.#arena = new Arena(memory, 1 << 20, memory.buffer.byteLength);
    const columns = new ColumnPlan();
    const target = columns.column({ kind: "addresses" });
    AddressScan.request(columns);
    this.#filled = new FilledColumns(this.#arena, columns, { extraCapacity: 4 * EXTRAS });
    const descriptorOf = (column: number): number => this.#filled.table + column * layout.COLUMN_BYTES;
    this.#target = descriptorOf(target);
    this.#scan = AddressScan.create(this.#kernel, this.#arena, columns, descriptorOf, EXTRAS)!;
  }

  /** The addresses column's values by event; undefined when they did not fit. */
  find(events: readonly LogEvent[]): string[][] | undefined {
    this.#filled.fill(events);
    this.#kernel.clearColumn(this.#target, events.length);
    if (!this.#scan.scan(events.length)) return undefined;
    const { u32, u64 } = this.#arena;
    const at = this.#target >>> 2;
    const found = events.map((_, row) => this.#text(u64[(u32[at + layout.COLUMN_CELLS / 4]! >>> 3) + row]!));
    for (let i = 0; i < u32[at + layout.COLUMN_EXTRA_COUNT / 4]!; i++) {
      found[u32[(u32[at + layout.COLUMN_EXTRA_ROWS / 4]! >>> 2) + i]!]!.push(...this.#text(u64[(u32[at + layout.COLUMN_EXTRA_CELLS / 4]! >>> 3) + i]!));
    }
    return found;
  }

  #text(cell: bigint): string[] {
    const start = Number(cell & 0xffffffffn);
    return cell ? [Buffer.from(this.#arena.u8.slice(start, start + Number((cell >> 32n) & 0x0fffffffn))).toString()] : [];
  }
}

function expected(event: LogEvent): string[] {
  return [...new Set(valuesOf({ kind: "attribute", path: ["network", "ip", "list"] }, event).map(String))].sort();
}

const table: ReadonlyArray<readonly [text: string, addresses: readonly string[]]> = [
  ["src=10.0.0.1,", ["10.0.0.1"]],
  ["(10.0.0.1) and 10.0.0.1:443", ["10.0.0.1"]],
  ["10.0.8 1.2.3.4.5 256.1.1.1 01.2.3.4 1.2.3.1234", []],
  ["v10.0.0.1 10.0.0.1x é10.0.0.1 10.0.0.1é _10.0.0.1", []],
  ["ends with 10.0.0.1.", ["10.0.0.1"]],
  ["ends with 10.0.0.1.x", []],
  ["2001:DB8:0:0:0:0:0:1.", ["2001:db8::1"]],
  ["[::1]:80 fe80::1%eth0", ["::1", "fe80::1"]],
  ["::ffff:10.0.0.1", ["::ffff:a00:1"]],
  ["12:30:45 a:b std::string", []],
  ["1:2:3:4:5:6:7:8:9", []],
  ["1::2::3", []],
  ["::", ["::"]],
  ["client:2001:db8::7, srv:fe80::2. gw:::1", ["2001:db8::7", "fe80::2", "::1"]],
  ["facade:fe80::3 node.de:fe80::4 c:fe80::5", ["fe80::3", "fe80::4", "c:fe80::5"]],
  ["foo::bar crate::fade d::e::f at:10:20:30 T1:2:3", []],
  ["1:0:0:2:0:0:0:3", ["1:0:0:2::3"]],
  ["1:0:2:3:4:5:6:7", ["1:0:2:3:4:5:6:7"]],
  ["x:10.0.0.1:10.0.0.2", ["10.0.0.1", "10.0.0.2"]],
];

describe.each(variants)("addresses of an event, %s", (variant) => {
  test("[SE-04] [TI-10] in a message, a tag, an attribute at any depth, once each", () => {
    const events: LogEvent[] = [
      ...table.map(([text]) => ({ message: text })),
      ...table.map(([text]) => ({ tags: [text], attributes: { a: [{ b: text }], c: text } })),
    ];
    const found = new Scanner(variant).find(events)!;
    table.forEach(([text, addresses], i) => {
      expect(found[i]!.sort(), text).toEqual(addresses.toSorted());
      expect(found[i + table.length]!.sort(), text).toEqual(addresses.toSorted());
    });
  });

  test("what network.ip.list holds counts whatever it is", () => {
    const event: LogEvent = { attributes: { network: { ip: { list: ["ABCD::", "elsewhere", 7, "10.0.0.1"] } } } };
    expect(new Scanner(variant).find([event])).toEqual([["abcd::", "elsewhere", "7", "10.0.0.1"]]);
  });

  test("of generated texts are those the host finds", () => {
    const random = new Generator(11);
    const pieces = ["10", "0", "255", "256", "1", ".", ".", ".", ":", ":", "::", "a", "ff", "0db8", "x", " ", " ", "é", "_", "10.0.0.1", "::1", "2001:db8::1", ".."];
    const scanner = new Scanner(variant);
    for (let round = 0; round < 40; round++) {
      const events: LogEvent[] = Array.from({ length: 100 }, () => {
        const text = (): string => Array.from({ length: random.below(24) }, () => random.pick(pieces)).join("");
        return random.chance(0.3) ? random.event() : { message: text(), tags: [text()], attributes: { a: [text(), text()] } };
      });
      const found = scanner.find(events)!;
      events.forEach((event, row) => expect(found[row]!.sort(), JSON.stringify(event)).toEqual(expected(event)));
    }
  });

  test("a long run of what addresses are made of is passed over once", () => {
    const texts = ["a".repeat(1_000_000), "1.".repeat(200_000), "a:".repeat(200_000), "::".repeat(200_000)];
    expect(texts.flatMap(findAddresses)).toEqual([]);
    expect(new Scanner(variant).find(texts.map((message) => ({ message })))).toEqual([[], [], [], []]);
  });

  test("too many for a batch are refused; of a single event those that fit are kept", () => {
    const many = Array.from({ length: 9000 }, (_, i) => `10.${i >> 8}.${i & 255}.1`).join(" ");
    const scanner = new Scanner(variant);
    expect(scanner.find([{ message: many }, { message: "::1" }])).toBeUndefined();
    expect(scanner.find([{ message: many }])![0]).toHaveLength(EXTRAS + 1);
    expect(scanner.find([{ message: "::1" }])).toEqual([["::1"]]);
  });
});
