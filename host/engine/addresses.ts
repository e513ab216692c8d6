import * as layout from "../../assembly/layout.ts";
import { findAddresses } from "../event/address.ts";
import type { ColumnKey, ColumnPlan } from "./columns.ts";
import type { Arena } from "./memory.ts";
import { DERIVED_EXTRAS } from "./steps.ts";

const sourceKeys: readonly ColumnKey[] = [
  { kind: "all" },
  { kind: "reserved", name: "message" },
  { kind: "reserved", name: "host" },
  { kind: "reserved", name: "service" },
  { kind: "reserved", name: "source" },
  { kind: "reserved", name: "status" },
  { kind: "reserved", name: "trace_id" },
  { kind: "tags" },
];
const ARENA_BYTES = 4 << 20;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Fills the addresses column: every IP address standing in any text of the event, in canonical text.
 *
 * Done on the host, because only queries on `@network.ip.list` ask for it; each distinct text of a batch is searched once.
 */
export class AddressScan {
  readonly #arena: Arena;
  readonly #sources: readonly number[];
  readonly #target: number;
  readonly #texts: number;

  /** Asks for the columns the scan reads, when the plan wants addresses. */
  static request(columns: ColumnPlan): void {
    if (!columns.keys.some((key) => key.kind === "addresses")) return;
    for (const key of sourceKeys) columns.column(key);
  }

  static create(arena: Arena, columns: ColumnPlan, descriptorOf: (column: number) => number): AddressScan | undefined {
    if (!columns.keys.some((key) => key.kind === "addresses")) return undefined;
    return new AddressScan(arena, sourceKeys.map((key) => descriptorOf(columns.column(key))), descriptorOf(columns.column({ kind: "addresses" })));
  }

  private constructor(arena: Arena, sources: readonly number[], target: number) {
    this.#arena = arena;
    this.#sources = sources;
    this.#target = target;
    this.#texts = arena.alloc(ARENA_BYTES + layout.READ_PAD, 64);
  }

  /** @returns false when an area is full: the caller takes fewer rows. */
  scan(rows: number): boolean {
    const found: Array<Set<string> | undefined> = Array.from({ length: rows });
    const known = new Map<string, readonly string[]>();
    for (const source of this.#sources) this.#scanColumn(source, rows, found, known);
    return this.#write(rows, found);
  }

  #scanColumn(descriptor: number, rows: number, found: Array<Set<string> | undefined>, known: Map<string, readonly string[]>): void {
    const { u32, u64 } = this.#arena;
    const at = descriptor >>> 2;
    const cells = u32[at + layout.COLUMN_CELLS / 4]! >>> 3;
    const extras = u32[at + layout.COLUMN_EXTRA_COUNT / 4]!;
    const extraCells = u32[at + layout.COLUMN_EXTRA_CELLS / 4]!;
    const extraRows = u32[at + layout.COLUMN_EXTRA_ROWS / 4]! >>> 2;
    for (let row = 0; row < rows; row++) this.#scanCell(u64[cells + row]!, row, found, known);
    for (let i = 0; i < extras; i++) this.#scanCell(this.#arena.view.getBigUint64(extraCells + i * 8, true), u32[extraRows + i]!, found, known);
  }

  #scanCell(cell: bigint, row: number, found: Array<Set<string> | undefined>, known: Map<string, readonly string[]>): void {
    if (cell === 0n || Number(cell >> 60n) !== layout.KIND_STRING) return;
    const address = Number(cell & 0xffffffffn);
    const length = Number((cell >> 32n) & 0x0fffffffn);
    if (length < 2) return;
    const text = decoder.decode(this.#arena.u8.slice(address, address + length));
    let addresses = known.get(text);
    if (!addresses) {
      addresses = findAddresses(text);
      known.set(text, addresses);
    }
    for (const each of addresses) (found[row] ??= new Set()).add(each);
  }

  #write(rows: number, found: ReadonlyArray<Set<string> | undefined>): boolean {
    const { u32, u64, u8, view } = this.#arena;
    const at = this.#target >>> 2;
    const cells = u32[at + layout.COLUMN_CELLS / 4]! >>> 3;
    const extraCells = u32[at + layout.COLUMN_EXTRA_CELLS / 4]!;
    const extraRows = u32[at + layout.COLUMN_EXTRA_ROWS / 4]! >>> 2;
    let extras = 0;
    let top = this.#texts;
    for (let row = 0; row < rows; row++) {
      for (const text of found[row] ?? []) {
        const bytes = encoder.encode(text);
        if (top + bytes.length > this.#texts + ARENA_BYTES) return false;
        u8.set(bytes, top);
        const cell = BigInt(top) | (BigInt(bytes.length) << 32n) | (BigInt(layout.KIND_STRING) << 60n);
        top += bytes.length;
        if (u64[cells + row] === 0n) u64[cells + row] = cell;
        else {
          if (extras === DERIVED_EXTRAS) return false;
          view.setBigUint64(extraCells + extras * 8, cell, true);
          u32[extraRows + extras] = row;
          extras++;
        }
      }
    }
    u32[at + layout.COLUMN_EXTRA_COUNT / 4] = extras;
    return true;
  }
}
