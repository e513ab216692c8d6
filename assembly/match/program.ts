import {
  CODE_AND, CODE_AND_NOT, CODE_END, CODE_EXIT_IF_EMPTY, CODE_LOAD, CODE_NOT, CODE_ONES, CODE_OR, CODE_POP_AND, CODE_POP_AND_NOT, CODE_POP_OR,
  CODE_PREDICATE, CODE_PUSH, CODE_ZEROS, MATCH_PROGRAMS, MATCH_STACK, ROW_WORD_BYTES,
} from "../layout";
import { bitsetBytes } from "./bits";
import { bitsetFor, narrow } from "./lazy";

/** Joins a bitset into `acc`; false when nothing is left in it. */
function combine(code: u32, acc: usize, other: usize): bool {
  const end = acc + bitsetBytes();
  if (ASC_FEATURE_SIMD) {
    let any = i64x2.splat(0);
    if (code == CODE_AND) {
      for (let a = acc; a < end; a += 16, other += 16) {
        const x = v128.and(v128.load(a), v128.load(other));
        any = v128.or(any, x);
        v128.store(a, x);
      }
    } else if (code == CODE_AND_NOT) {
      for (let a = acc; a < end; a += 16, other += 16) {
        const x = v128.andnot(v128.load(a), v128.load(other));
        any = v128.or(any, x);
        v128.store(a, x);
      }
    } else {
      for (let a = acc; a < end; a += 16, other += 16) {
        const x = v128.or(v128.load(a), v128.load(other));
        any = v128.or(any, x);
        v128.store(a, x);
      }
    }
    return v128.any_true(any);
  }
  let any: u64 = 0;
  for (let a = acc; a < end; a += 8, other += 8) {
    const mine = load<u64>(a);
    const theirs = load<u64>(other);
    const x = code == CODE_AND ? mine & theirs : code == CODE_AND_NOT ? mine & ~theirs : mine | theirs;
    any |= x;
    store<u64>(a, x);
  }
  return any != 0;
}

// @ts-ignore: decorator
@inline
function isEmpty(acc: usize): bool {
  const end = acc + bitsetBytes();
  let any: u64 = 0;
  for (let a = acc; a < end; a += 8) any |= load<u64>(a);
  return any == 0;
}

// @ts-ignore: decorator
@inline
function fill(acc: usize, word: u64): void {
  const end = acc + bitsetBytes();
  for (let a = acc; a < end; a += 8) store<u64>(a, word);
}

/** One predicate joined into `acc`; false when nothing is left in it. */
function join(m: usize, code: u32, predicate: u32, acc: usize): bool {
  if (code != CODE_OR && narrow(m, predicate, acc, code == CODE_AND_NOT)) return !isEmpty(acc);
  const other = bitsetFor(m, predicate);
  if (other) return combine(code, acc, other);
  if (code == CODE_AND) {
    fill(acc, 0);
    return false;
  }
  return true;
}

function copy(m: usize, predicate: u32, acc: usize): bool {
  const from = bitsetFor(m, predicate);
  if (!from) {
    fill(acc, 0);
    return false;
  }
  const bytes = bitsetBytes();
  for (let i: usize = 0; i < bytes; i += 8) store<u64>(acc + i, load<u64>(from + i));
  return true;
}

/** Runs a query's program; its rows stand in the returned bitset. 0 when no row matches. */
export function runProgram(m: usize, query: u32): usize {
  let pc = <usize>load<u32>(<usize>load<u32>(m, MATCH_PROGRAMS) + (<usize>query << 2));
  let acc = <usize>load<u32>(m, MATCH_STACK);
  while (true) {
    const word = load<u32>(pc);
    pc += 4;
    const code = word >> 28;
    const predicate = word & CODE_PREDICATE;
    let any = true;
    switch (code) {
      case CODE_END:
        return isEmpty(acc) ? 0 : acc;
      case CODE_LOAD:
        any = copy(m, predicate, acc);
        break;
      case CODE_AND:
      case CODE_AND_NOT:
      case CODE_OR:
        any = join(m, code, predicate, acc);
        break;
      case CODE_PUSH:
        acc += ROW_WORD_BYTES;
        break;
      case CODE_POP_AND:
      case CODE_POP_OR:
      case CODE_POP_AND_NOT: {
        const top = acc;
        acc -= ROW_WORD_BYTES;
        any = combine(code == CODE_POP_AND ? CODE_AND : code == CODE_POP_OR ? CODE_OR : CODE_AND_NOT, acc, top);
        break;
      }
      case CODE_ONES:
        fill(acc, -1);
        break;
      case CODE_ZEROS:
        fill(acc, 0);
        break;
      case CODE_NOT: {
        const end = acc + bitsetBytes();
        for (let a = acc; a < end; a += 8) store<u64>(a, ~load<u64>(a));
        break;
      }
      default:
        return 0;
    }
    if (!any && (word & CODE_EXIT_IF_EMPTY) != 0) return 0;
  }
  return 0;
}
