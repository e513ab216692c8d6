import * as layout from "../../assembly/layout.ts";
import { Extraction, type BadRecord, type ExtractColumn, type ExtractKernel, type ExtractionPlan, encodeKey } from "../../host/engine/extraction.ts";
import { hostImports } from "../../host/engine/imports.ts";
import { Arena } from "../../host/engine/memory.ts";
import { type Variant, loadKernel } from "../support/wasm.ts";

export interface Row {
  readonly start: number;
  readonly end: number;
  /** Values of each plan column, in order; numbers and booleans as text. */
  readonly values: readonly (readonly string[])[];
}

export interface Read {
  readonly rows: Row[];
  readonly bad: readonly BadRecord[];
  readonly calls: number;
}

const ENTRY = process.env["VESPID_EXTRACT_ENTRY"] ?? "assembly/extract/index.ts";

export interface Kernel extends ExtractKernel {
  validateUtf8(start: number, end: number): number;
}

/** One kernel instance with its memory and a plan, reading texts the way a worker does. */
export class Reader {
  readonly arena: Arena;
  readonly kernel: Kernel;
  readonly extraction: Extraction;
  readonly columnCount: number;
  readonly input: number;
  readonly inputBytes: number;

  constructor(variant: Variant, columns: readonly ExtractColumn[], options: Partial<ExtractionPlan> = {}, inputBytes = 4 << 20) {
    const memory = new WebAssembly.Memory({ initial: 1024, maximum: 65536, shared: true });
    this.kernel = new WebAssembly.Instance(loadKernel(variant, ENTRY), hostImports(memory)).exports as unknown as Kernel;
    this.arena = new Arena(memory, 65536, memory.buffer.byteLength);
    this.extraction = new Extraction(this.arena, { columns, ...options });
    this.columnCount = Math.max(...columns.map((column) => column.column)) + 1;
    this.inputBytes = inputBytes;
    this.input = this.arena.alloc(inputBytes + 512, 64);
  }

  text(cell: bigint): string {
    const start = Number(cell & 0xffffffffn);
    const length = Number((cell >> 32n) & 0x0fffffffn);
    return Buffer.from(this.arena.memory.buffer, start, length).toString("latin1");
  }

  /** Whether each line is a call of its own that starts willing to learn, so that the automaton, not the parser, meets hostile text. */
  lineByLine = false;

  /** Reads bytes placed `shift` past an aligned address, calling the kernel until all is consumed. */
  read(bytes: Uint8Array, shift = 0): Read {
    const start = this.input + shift;
    const end = start + bytes.length;
    const u8 = this.arena.u8;
    u8.set(bytes, start);
    // What follows the input is not ours; make it look like JSON to catch readers that go too far.
    u8.set(Buffer.from('"}]"}}],"a":"b\\u0041"}\n{"a":"z"}\n'.repeat(8)), end);
    this.extraction.beginInput();
    const rows: Row[] = [];
    const bad: BadRecord[] = [];
    let at = start;
    let calls = 0;
    while (at < end) {
      let callEnd = end;
      if (this.lineByLine) {
        const feed = bytes.indexOf(10, at - start);
        if (feed >= 0) callEnd = start + feed + 1;
        this.arena.u32[(this.extraction.struct + layout.EXTRACT_SKIP_RECORDS) >>> 2] = 0;
        this.arena.u32[(this.extraction.struct + layout.EXTRACT_BUDGET) >>> 2] = 0;
      }
      const count = this.kernel.extract(this.extraction.struct, at, callEnd);
      calls++;
      this.#collect(count, start, rows);
      for (const entry of this.extraction.bad()) bad.push({ start: entry.start - start, end: entry.end - start, reason: entry.reason });
      if (this.extraction.consumed === 0) throw new Error("the kernel stands still");
      at += this.extraction.consumed;
    }
    return { rows, bad, calls };
  }

  #collect(count: number, start: number, rows: Row[]): void {
    const { u32, u64 } = this.arena;
    const { columnTable, rowStart, rowEnd } = this.extraction;
    const first = rows.length;
    for (let row = 0; row < count; row++) {
      const values: string[][] = [];
      for (let column = 0; column < this.columnCount; column++) {
        const cells = u32[(columnTable + column * layout.COLUMN_BYTES + layout.COLUMN_CELLS) >>> 2] ?? 0;
        const cell = u64[(cells >>> 3) + row] ?? 0n;
        values.push(cell === 0n ? [] : [this.text(cell)]);
      }
      rows.push({ start: (u32[(rowStart >>> 2) + row] ?? 0) - start, end: (u32[(rowEnd >>> 2) + row] ?? 0) - start, values });
    }
    for (let column = 0; column < this.columnCount; column++) {
      const descriptor = (columnTable + column * layout.COLUMN_BYTES) >>> 2;
      const extraCount = u32[descriptor + 3] ?? 0;
      for (let i = 0; i < extraCount; i++) {
        const cell = u64[((u32[descriptor + 1] ?? 0) >>> 3) + i] ?? 0n;
        const row = u32[((u32[descriptor + 2] ?? 0) >>> 2) + i] ?? 0;
        (rows[first + row]?.values[column] as string[]).push(this.text(cell));
      }
    }
  }
}

/** Text as the Reader gives it: the value's bytes, each as one character. */
export function bytesText(text: string): string {
  return Buffer.from(encodeKey(text)).toString("latin1");
}
