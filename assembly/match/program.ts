import {
  CODE_AND, CODE_AND_NOT, CODE_END, CODE_EXIT_IF_EMPTY, CODE_LAZY, CODE_LOAD, CODE_NOT, CODE_ONES, CODE_OR, CODE_POP_AND, CODE_POP_AND_NOT,
  CODE_POP_OR, CODE_PREDICATE, CODE_PUSH, CODE_ZEROS, MATCH_PROGRAMS, MATCH_STACK, ROW_WORD_BYTES,
} from "../layout";
import { bitsetBytes, bitsetOf, isBegun } from "./bits";
import { bitsetFor, narrow } from "./lazy";

/** Writes `left` joined with `right` to `to`; false when nothing is left. */
function combine(code: u32, to: usize, left: usize, right: usize): bool {
  const end = to + bitsetBytes();
  if (ASC_FEATURE_SIMD) {
    let any = i64x2.splat(0);
    if (code == CODE_AND) {
      for (; to < end; to += 16, left += 16, right += 16) {
        const x = v128.and(v128.load(left), v128.load(right));
        any = v128.or(any, x);
        v128.store(to, x);
      }
    } else if (code == CODE_AND_NOT) {
      for (; to < end; to += 16, left += 16, right += 16) {
        const x = v128.andnot(v128.load(left), v128.load(right));
        any = v128.or(any, x);
        v128.store(to, x);
      }
    } else {
      for (; to < end; to += 16, left += 16, right += 16) {
        const x = v128.or(v128.load(left), v128.load(right));
        any = v128.or(any, x);
        v128.store(to, x);
      }
    }
    return v128.any_true(any);
  }
  let any: u64 = 0;
  for (; to < end; to += 8, left += 8, right += 8) {
    const mine = load<u64>(left);
    const theirs = load<u64>(right);
    const x = code == CODE_AND ? mine & theirs : code == CODE_AND_NOT ? mine & ~theirs : mine | theirs;
    any |= x;
    store<u64>(to, x);
  }
  return any != 0;
}

// @ts-ignore: decorator
@inline
function isEmpty(at: usize): bool {
  const end = at + bitsetBytes();
  let any: u64 = 0;
  for (; at < end; at += 8) any |= load<u64>(at);
  return any == 0;
}

// @ts-ignore: decorator
@inline
function fill(at: usize, word: u64): void {
  const end = at + bitsetBytes();
  for (; at < end; at += 8) store<u64>(at, word);
}

/** Writes `from` to `to`, its bits turned over when `mask` is all ones. */
// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, mask: u64): void {
  const end = to + bitsetBytes();
  for (; to < end; to += 8, from += 8) store<u64>(to, load<u64>(from) ^ mask);
}

/** The predicate's bitset, or 0 when it is empty because no job posted to it. */
// @ts-ignore: decorator
@inline
function bitsetAt(m: usize, word: u32): usize {
  const predicate = word & CODE_PREDICATE;
  if (word & CODE_LAZY) return bitsetFor(m, predicate);
  return isBegun(predicate) ? bitsetOf(predicate) : 0;
}

/**
 * Runs a query's program; its rows stand in the returned bitset. 0 when no row matches.
 *
 * `acc` is the area of the group at hand, `left` what is worked out so far: there, or still in a predicate's own bitset.
 */
export function runProgram(m: usize, query: u32): usize {
  let pc = <usize>load<u32>(<usize>load<u32>(m, MATCH_PROGRAMS) + (<usize>query << 2));
  let acc = <usize>load<u32>(m, MATCH_STACK);
  let left = acc;
  while (true) {
    const word = load<u32>(pc);
    pc += 4;
    const code = word >> 28;
    let any = true;
    switch (code) {
      case CODE_END:
        return isEmpty(left) ? 0 : left;
      case CODE_LOAD:
        left = bitsetAt(m, word);
        if (!left) {
          fill(acc, 0);
          left = acc;
          any = false;
        }
        break;
      case CODE_AND:
      case CODE_AND_NOT:
      case CODE_OR: {
        if (code != CODE_OR && (word & CODE_LAZY) != 0 && narrow(m, word & CODE_PREDICATE, acc, left, code == CODE_AND_NOT)) {
          left = acc;
          any = !isEmpty(acc);
          break;
        }
        const right = bitsetAt(m, word);
        if (right) {
          any = combine(code, acc, left, right);
          left = acc;
        } else if (code == CODE_AND) {
          fill(acc, 0);
          left = acc;
          any = false;
        }
        break;
      }
      case CODE_PUSH:
        if (left != acc) copy(acc, left, 0);
        acc += ROW_WORD_BYTES;
        left = acc;
        break;
      case CODE_POP_AND:
      case CODE_POP_OR:
      case CODE_POP_AND_NOT:
        acc -= ROW_WORD_BYTES;
        any = combine(code == CODE_POP_AND ? CODE_AND : code == CODE_POP_OR ? CODE_OR : CODE_AND_NOT, acc, acc, left);
        left = acc;
        break;
      case CODE_ONES:
        fill(acc, -1);
        left = acc;
        break;
      case CODE_ZEROS:
        fill(acc, 0);
        left = acc;
        break;
      case CODE_NOT:
        copy(acc, left, -1);
        left = acc;
        break;
      default:
        return 0;
    }
    if (!any && (word & CODE_EXIT_IF_EMPTY) != 0) return 0;
  }
  return 0;
}
