import * as layout from "../../../assembly/layout.ts";
import type { Arena } from "../memory.ts";
import type { Instruction } from "./program.ts";
import type { ByteSet } from "./regex.ts";

/** Writes a program into memory. @returns address of its first instruction. */
export function writeProgram(arena: Arena, code: readonly Instruction[]): number {
  const base = arena.alloc(code.length * layout.TEXT_INSTRUCTION_BYTES, 8);
  const addressOf = (instruction: number): number => base + instruction * layout.TEXT_INSTRUCTION_BYTES;
  const tables = new Map<string, number>();
  const tableOf = (set: ByteSet): number => {
    const key = set.map((isIn) => (isIn ? "1" : "0")).join("");
    let table = tables.get(key);
    if (table === undefined) {
      table = arena.bytes(Uint8Array.from(set, Number));
      tables.set(key, table);
    }
    return table;
  };
  code.forEach((instruction, i) => {
    const put = (field: number, value: number): void => {
      arena.u32[(addressOf(i) + field) >>> 2] = value;
    };
    put(layout.TEXT_OP, instruction.op);
    switch (instruction.op) {
      case layout.TEXT_LITERAL:
        put(layout.TEXT_A, arena.bytes(Uint8Array.from(instruction.bytes)));
        put(layout.TEXT_B, instruction.bytes.length);
        return;
      case layout.TEXT_SET:
        put(layout.TEXT_A, tableOf(instruction.set));
        return;
      case layout.TEXT_RUN:
        put(layout.TEXT_A, tableOf(instruction.set));
        put(layout.TEXT_B, instruction.min);
        put(layout.TEXT_C, instruction.max);
        put(layout.TEXT_D, instruction.mode);
        put(layout.TEXT_E, followerOf(code, i));
        writeStops(arena, addressOf(i), instruction.set);
        return;
      case layout.TEXT_SPLIT:
        put(layout.TEXT_A, addressOf(instruction.first));
        put(layout.TEXT_B, addressOf(instruction.second));
        put(layout.TEXT_C, instruction.firstSet ? tableOf(instruction.firstSet) : 0);
        put(layout.TEXT_D, instruction.secondSet ? tableOf(instruction.secondSet) : 0);
        return;
      case layout.TEXT_JUMP:
        put(layout.TEXT_A, addressOf(instruction.to));
        return;
      case layout.TEXT_SAVE:
        put(layout.TEXT_A, instruction.slot);
        return;
      case layout.TEXT_ASSERT:
        put(layout.TEXT_A, instruction.what);
        return;
      case layout.TEXT_NEED: {
        const list = arena.alloc(instruction.texts.length * 8, 4);
        arena.u32.set(instruction.texts.flatMap((text) => [arena.bytes(Uint8Array.from(text)), text.length]), list >>> 2);
        put(layout.TEXT_A, list);
        put(layout.TEXT_B, instruction.texts.length);
        return;
      }
      case layout.TEXT_MATCH:
        put(layout.TEXT_A, instruction.rule);
    }
  });
  return base;
}

/** Bytes that end a run, where they are few. */
function writeStops(arena: Arena, address: number, set: ByteSet): void {
  const stops = set.flatMap((isIn, byte) => (isIn ? [] : [byte]));
  if (!stops.length || stops.length > layout.TEXT_STOP_CAP) {
    arena.u32[(address + layout.TEXT_STOP_COUNT) >>> 2] = 0;
    return;
  }
  arena.u32[(address + layout.TEXT_STOP_COUNT) >>> 2] = stops.length;
  for (let i = 0; i < 8; i++) arena.u8[address + layout.TEXT_STOPS + i] = stops[Math.min(i, stops.length - 1)]!;
}

/** The one byte that must stand behind instruction `i`, 256 when several may. */
function followerOf(code: readonly Instruction[], i: number): number {
  for (let next = i + 1; next < code.length; next++) {
    const instruction = code[next]!;
    if (instruction.op === layout.TEXT_LITERAL) return instruction.bytes[0]!;
    if (instruction.op !== layout.TEXT_SAVE) break;
  }
  return 256;
}

/** Places for group bounds that a program's rules need. */
export function slotCount(code: readonly Instruction[]): number {
  return code.reduce((most, instruction) => (instruction.op === layout.TEXT_SAVE ? Math.max(most, (instruction.slot | 1) + 1) : most), 2);
}
