import {
  CODE_AND, CODE_AND_NOT, CODE_END, CODE_LOAD, CODE_NOT, CODE_ONES, CODE_OR, CODE_POP_AND, CODE_POP_AND_NOT, CODE_POP_OR, CODE_PUSH,
  CODE_ZEROS, MATCH_PROGRAMS, MATCH_STACK, ROW_WORD_BYTES,
} from "../layout";
import { bitsetBytes, bitsetOf } from "./bits";
import { ensure } from "./lazy";

function isEmpty(at: usize, bytes: usize): bool {
  let any: u64 = 0;
  for (let i: usize = 0; i < bytes; i += 8) any |= load<u64>(at + i);
  return any == 0;
}

function combine(code: u32, acc: usize, other: usize, bytes: usize): void {
  if (ASC_FEATURE_SIMD) {
    if (code == CODE_AND) for (let i: usize = 0; i < bytes; i += 16) v128.store(acc + i, v128.and(v128.load(acc + i), v128.load(other + i)));
    else if (code == CODE_AND_NOT) for (let i: usize = 0; i < bytes; i += 16) v128.store(acc + i, v128.andnot(v128.load(acc + i), v128.load(other + i)));
    else for (let i: usize = 0; i < bytes; i += 16) v128.store(acc + i, v128.or(v128.load(acc + i), v128.load(other + i)));
    return;
  }
  if (code == CODE_AND) for (let i: usize = 0; i < bytes; i += 8) store<u64>(acc + i, load<u64>(acc + i) & load<u64>(other + i));
  else if (code == CODE_AND_NOT) for (let i: usize = 0; i < bytes; i += 8) store<u64>(acc + i, load<u64>(acc + i) & ~load<u64>(other + i));
  else for (let i: usize = 0; i < bytes; i += 8) store<u64>(acc + i, load<u64>(acc + i) | load<u64>(other + i));
}

/** Runs a query's program; its rows stand in the returned bitset. 0 when no row matches. */
export function runProgram(m: usize, query: u32): usize {
  let pc = <usize>load<u32>(<usize>load<u32>(m, MATCH_PROGRAMS) + (<usize>query << 2));
  const stack = <usize>load<u32>(m, MATCH_STACK);
  const bytes = bitsetBytes();
  let acc = stack;
  while (true) {
    const word = load<u32>(pc);
    pc += 4;
    const code = word >> 28;
    const predicate = word & 0x0fffffff;
    switch (code) {
      case CODE_END:
        return isEmpty(acc, bytes) ? 0 : acc;
      case CODE_LOAD: {
        ensure(m, predicate);
        const from = bitsetOf(predicate);
        for (let i: usize = 0; i < bytes; i += 8) store<u64>(acc + i, load<u64>(from + i));
        break;
      }
      case CODE_AND:
      case CODE_AND_NOT:
      case CODE_OR:
        ensure(m, predicate);
        combine(code, acc, bitsetOf(predicate), bytes);
        break;
      case CODE_PUSH:
        acc += ROW_WORD_BYTES;
        break;
      case CODE_POP_AND:
        combine(CODE_AND, acc - ROW_WORD_BYTES, acc, bytes);
        acc -= ROW_WORD_BYTES;
        break;
      case CODE_POP_AND_NOT:
        combine(CODE_AND_NOT, acc - ROW_WORD_BYTES, acc, bytes);
        acc -= ROW_WORD_BYTES;
        break;
      case CODE_POP_OR:
        combine(CODE_OR, acc - ROW_WORD_BYTES, acc, bytes);
        acc -= ROW_WORD_BYTES;
        break;
      case CODE_ONES:
        for (let i: usize = 0; i < bytes; i += 8) store<u64>(acc + i, -1);
        break;
      case CODE_ZEROS:
        for (let i: usize = 0; i < bytes; i += 8) store<u64>(acc + i, 0);
        break;
      default:
        for (let i: usize = 0; i < bytes; i += 8) store<u64>(acc + i, ~load<u64>(acc + i));
    }
    // An AND at the bottom of the stack that left nothing cannot recover.
    if (acc == stack && (code == CODE_AND || code == CODE_POP_AND) && load<u32>(pc) >> 28 != CODE_OR && isEmpty(acc, bytes) && isConjunctionTail(pc)) return 0;
  }
  return 0;
}

/** Do only ANDs follow, down to the end? */
function isConjunctionTail(pc: usize): bool {
  while (true) {
    const code = load<u32>(pc) >> 28;
    if (code == CODE_END) return true;
    if (code != CODE_AND && code != CODE_AND_NOT) return false;
    pc += 4;
  }
  return false;
}
