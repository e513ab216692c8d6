import { RULE_CANDIDATES, RULE_CANDIDATE_CAP, RULE_CANDIDATE_COUNT, RULE_HIT_OFFSET } from "../layout";
import { pieceFor } from "./pressure";
import { givePiece, takePiece } from "./slab";

// An event of a query that all groups share concerns each of them, yet most are far from any condition of their own: only those that
// are not are walked over. Where memory did not suffice for the list there is none, and all groups are walked over.

const FIRST_CAP: u32 = 64;
const PLACE: usize = 12;

// @ts-ignore: decorator
@inline
function placeOf(rule: usize, group: usize): usize {
  return group + <usize>load<u32>(rule, RULE_HIT_OFFSET) + PLACE;
}

// @ts-ignore: decorator
@inline
function cellAt(rule: usize, i: u32): usize {
  return <usize>load<u32>(rule, RULE_CANDIDATES) + (<usize>i << 2);
}

export function candidatesStart(rule: usize): void {
  store<u32>(rule, <u32>takePiece(<usize>FIRST_CAP << 2), RULE_CANDIDATES);
  store<u32>(rule, FIRST_CAP, RULE_CANDIDATE_CAP);
  store<u32>(rule, 0, RULE_CANDIDATE_COUNT);
}

export function hasCandidates(rule: usize): bool {
  return load<u32>(rule, RULE_CANDIDATES) != 0;
}

export function candidateAt(rule: usize, i: u32): usize {
  return <usize>load<u32>(cellAt(rule, i));
}

function grow(rule: usize): bool {
  const cap = load<u32>(rule, RULE_CANDIDATE_CAP);
  // Other groups may be given up for it, candidates among them.
  const list = pieceFor(<usize>cap << 3);
  const old = <usize>load<u32>(rule, RULE_CANDIDATES);
  if (list) memory.copy(list, old, <usize>load<u32>(rule, RULE_CANDIDATE_COUNT) << 2);
  givePiece(old, <usize>cap << 2);
  store<u32>(rule, <u32>list, RULE_CANDIDATES);
  store<u32>(rule, cap << 1, RULE_CANDIDATE_CAP);
  return list != 0;
}

export function addCandidate(rule: usize, group: usize): void {
  if (!hasCandidates(rule) || load<u32>(placeOf(rule, group))) return;
  if (load<u32>(rule, RULE_CANDIDATE_COUNT) == load<u32>(rule, RULE_CANDIDATE_CAP) && !grow(rule)) return;
  const n = load<u32>(rule, RULE_CANDIDATE_COUNT);
  store<u32>(cellAt(rule, n), <u32>group);
  store<u32>(placeOf(rule, group), n + 1);
  store<u32>(rule, n + 1, RULE_CANDIDATE_COUNT);
}

/** The last one takes its place. */
export function dropCandidate(rule: usize, group: usize): void {
  const place = load<u32>(placeOf(rule, group));
  if (!place || !hasCandidates(rule)) return;
  const n = load<u32>(rule, RULE_CANDIDATE_COUNT) - 1;
  const last = candidateAt(rule, n);
  store<u32>(cellAt(rule, place - 1), <u32>last);
  store<u32>(placeOf(rule, last), place);
  store<u32>(placeOf(rule, group), 0);
  store<u32>(rule, n, RULE_CANDIDATE_COUNT);
}
