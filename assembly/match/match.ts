import {
  COLUMN_BLANK, JOB_BYTES, JOB_COLUMN, JOB_EQUAL, JOB_EQUAL_FEW, JOB_KIND, JOB_LITERAL, MATCH_ALWAYS, MATCH_ALWAYS_COUNT, MATCH_COUNTERS, MATCH_COVERS,
  MATCH_EVALUATED, MATCH_FIRED, MATCH_IDS, MATCH_JOBS, MATCH_JOB_COUNT, MATCH_PAIRS, MATCH_PAIR_CAPACITY, MATCH_QUERY_COUNT,
  MATCH_RESULTS, MATCH_RESULT_BITS, MATCH_ROW_COUNTS, MATCH_WANTED, ROW_WORD_BYTES,
} from "../layout";
import { bitsetBytes, firedCount, openBits } from "./bits";
import { matchEqual } from "./equality";
import { matchFew } from "./few";
import { openFold } from "./fold";
import { matchAnchored, matchLiterals } from "./literal";
import { runProgram } from "./program";

// @ts-ignore: decorator
@inline
function want(wanted: usize, query: u32): void {
  const at = wanted + ((<usize>query >> 6) << 3);
  store<u64>(at, load<u64>(at) | (<u64>1 << <u64>(query & 63)));
}

function runJobs(m: usize): void {
  const jobs = <usize>load<u32>(m, MATCH_JOBS);
  const count = load<u32>(m, MATCH_JOB_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const job = jobs + <usize>i * JOB_BYTES;
    if (load<u32>(load<u32>(job, JOB_COLUMN), COLUMN_BLANK)) continue;
    const kind = load<u32>(job, JOB_KIND);
    if (kind == JOB_EQUAL) matchEqual(m, job);
    else if (kind == JOB_EQUAL_FEW) matchFew(job);
    else if (kind == JOB_LITERAL) matchLiterals(m, job);
    else matchAnchored(m, job);
  }
}

/** Queries worth running: those one of whose cover predicates fired, and those without a cover. */
function chooseQueries(m: usize): void {
  const wanted = <usize>load<u32>(m, MATCH_WANTED);
  memory.fill(wanted, 0, ((<usize>load<u32>(m, MATCH_QUERY_COUNT) + 63) >> 6) << 3);
  const covers = <usize>load<u32>(m, MATCH_COVERS);
  const fired = <usize>load<u32>(m, MATCH_FIRED);
  const firedTop = firedCount();
  for (let i: u32 = 0; i < firedTop; i++) {
    const list = <usize>load<u32>(covers + (<usize>load<u32>(fired + (<usize>i << 2)) << 2));
    if (!list) continue;
    const count = load<u32>(list);
    for (let k: u32 = 0; k < count; k++) want(wanted, load<u32>(list + 4 + (<usize>k << 2)));
  }
  const always = <usize>load<u32>(m, MATCH_ALWAYS);
  const alwaysCount = load<u32>(m, MATCH_ALWAYS_COUNT);
  for (let i: u32 = 0; i < alwaysCount; i++) want(wanted, load<u32>(always + (<usize>i << 2)));
}

let results: u32 = 0;
let pairs: u32 = 0;

function keepResult(m: usize, query: u32, bits: usize, rows: u32): void {
  const bytes = bitsetBytes();
  const to = <usize>load<u32>(m, MATCH_RESULT_BITS) + <usize>results * ROW_WORD_BYTES;
  const counts = <usize>load<u32>(m, MATCH_ROW_COUNTS);
  let any = false;
  for (let i: usize = 0; i < bytes; i += 8) {
    const first = <u32>(i << 3);
    let word = load<u64>(bits + i);
    if (first + 64 > rows) word &= first >= rows ? 0 : (<u64>1 << <u64>(rows - first)) - 1;
    store<u64>(to + i, word);
    while (word) {
      const at = counts + (<usize>(first + <u32>ctz(word)) << 2);
      store<u32>(at, load<u32>(at) + 1);
      pairs++;
      any = true;
      word &= word - 1;
    }
  }
  if (!any) return;
  store<u32>(<usize>load<u32>(m, MATCH_RESULTS) + (<usize>results << 2), query);
  results++;
}

/** Pairs by row, then standing number: queries are gone through in ascending order and placed at their row's next free place. */
function writePairs(m: usize, rows: u32): void {
  const counts = <usize>load<u32>(m, MATCH_ROW_COUNTS);
  let start: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const at = counts + (<usize>row << 2);
    const count = load<u32>(at);
    store<u32>(at, start);
    start += count;
  }
  const out = <usize>load<u32>(m, MATCH_PAIRS);
  const ids = <usize>load<u32>(m, MATCH_IDS);
  const bytes = bitsetBytes();
  for (let r: u32 = 0; r < results; r++) {
    const standing = load<u32>(ids + (<usize>load<u32>(<usize>load<u32>(m, MATCH_RESULTS) + (<usize>r << 2)) << 2));
    const bits = <usize>load<u32>(m, MATCH_RESULT_BITS) + <usize>r * ROW_WORD_BYTES;
    for (let i: usize = 0; i < bytes; i += 8) {
      let word = load<u64>(bits + i);
      while (word) {
        const row = <u32>(i << 3) + <u32>ctz(word);
        const at = counts + (<usize>row << 2);
        const place = load<u32>(at);
        store<u32>(at, place + 1);
        store<u32>(out + (<usize>place << 3), standing);
        store<u32>(out + (<usize>place << 3), row, 4);
        word &= word - 1;
      }
    }
  }
}

/** Runs the wanted queries in ascending order; false when their pairs do not fit. */
function runQueries(m: usize, rows: u32): bool {
  const wanted = <usize>load<u32>(m, MATCH_WANTED);
  const queries = load<u32>(m, MATCH_QUERY_COUNT);
  const capacity = load<u32>(m, MATCH_PAIR_CAPACITY);
  const counters = <usize>load<u32>(m, MATCH_COUNTERS);
  let evaluated = load<u32>(m, MATCH_EVALUATED);
  for (let base: u32 = 0; base < queries; base += 64) {
    let word = load<u64>(wanted + ((<usize>base >> 6) << 3));
    while (word) {
      const query = base + <u32>ctz(word);
      word &= word - 1;
      store<u32>(m, ++evaluated, MATCH_EVALUATED);
      const counter = counters + (<usize>query << 3);
      store<u32>(counter, load<u32>(counter) + 1);
      const bits = runProgram(m, query);
      if (!bits) continue;
      const before = pairs;
      keepResult(m, query, bits, rows);
      if (pairs > capacity) return false;
      store<u32>(counter, load<u32>(counter, 4) + pairs - before, 4);
    }
  }
  return true;
}

/**
 * Evaluates every standing query over the columns of a batch.
 *
 * @returns number of (standing, row) pairs, in row order; -1 when they do not fit (call again with fewer rows).
 */
export function match(m: usize, rows: u32): i32 {
  openBits(m, rows);
  openFold(m);
  runJobs(m);
  chooseQueries(m);
  results = 0;
  pairs = 0;
  memory.fill(load<u32>(m, MATCH_ROW_COUNTS), 0, (<usize>rows + 1) << 2);
  if (!runQueries(m, rows)) return -1;
  if (pairs) writePairs(m, rows);
  return <i32>pairs;
}

/**
 * Evaluates the queries for their rows alone: one bitset of ROW_WORD_BYTES for each query at `out`, in the queries' order.
 * Pipelines ask so, in the middle of deriving columns.
 */
export function matchBits(m: usize, rows: u32, out: usize): void {
  openBits(m, rows);
  openFold(m);
  runJobs(m);
  chooseQueries(m);
  const wanted = <usize>load<u32>(m, MATCH_WANTED);
  const queries = load<u32>(m, MATCH_QUERY_COUNT);
  const bytes = bitsetBytes();
  for (let query: u32 = 0; query < queries; query++) {
    const to = out + <usize>query * ROW_WORD_BYTES;
    const isWanted = (load<u64>(wanted + ((<usize>query >> 6) << 3)) >> <u64>(query & 63)) & 1;
    const bits = isWanted ? runProgram(m, query) : 0;
    if (bits) memory.copy(to, bits, bytes);
    else memory.fill(to, 0, bytes);
  }
}
