import {
  GROUP_FRAGMENT, GROUP_HOT, RULE_CANDIDATES, RULE_CANDIDATE_COUNT, RULE_COLD_HEAD, RULE_GROUP_COUNT, RULE_HOT_HEAD, RULE_KEY_OFFSET,
} from "../layout";
import { latestMsOf, setLatestMs } from "./apply";
import { addCandidate } from "./candidates";
import { reindex } from "./distinct";
import { countGroups, setStepsOf, stepsOf, turnOf } from "./evict";
import { emptyGroup, enqueue } from "./group";
import { extend } from "./numbers";
import { hold } from "./pressure";
import { entryBytes, resize } from "./ring";
import { givePiece, takePiece } from "./slab";
import { addGroup } from "./table";

// Saved groups come back piece by piece: the host asks for a place and fills it as layout.ts says. None of these gives up a group to
// make room for another.

/** Empty group of a saved key, last in its queue; `key` is what was kept of the text. 0: no memory. */
export function windowGroup(rule: usize, key: usize, keyBytes: u32, flags: u32, fragment: u32): usize {
  const bytes = <usize>load<u32>(rule, RULE_KEY_OFFSET) + <usize>keyBytes;
  const group = takePiece(bytes);
  if (!group) return 0;
  emptyGroup(group, rule, keyBytes, flags);
  memory.copy(group + <usize>load<u32>(rule, RULE_KEY_OFFSET), key, <usize>keyBytes);
  store<u32>(group, fragment, GROUP_FRAGMENT);
  if (!addGroup(group)) {
    givePiece(group, bytes);
    return 0;
  }
  enqueue(rule, flags & GROUP_HOT ? RULE_HOT_HEAD : RULE_COLD_HEAD, group);
  store<u32>(rule, load<u32>(rule, RULE_GROUP_COUNT) + 1, RULE_GROUP_COUNT);
  countGroups(1);
  return group;
}

/** Empty ring of an empty store, whose entries have values or not. 0: no memory. */
export function windowRing(keep: usize, hasValues: u32, capacity: u32): usize {
  hold(true);
  const size = entryBytes(hasValues != 0);
  const made = resize(keep, size, capacity);
  hold(false);
  return made ? <usize>load<u32>(keep + size) : 0;
}

/** What a ring's displaced entries leave behind, its bytes as they come. 0: no memory. */
export function windowExtension(ring: usize, query: usize): usize {
  hold(true);
  const extension = extend(ring, query);
  hold(false);
  return extension;
}

/** After the entries of a store of distinct values were filled in. */
export function windowReindex(keep: usize): void {
  hold(true);
  reindex(keep);
  hold(false);
}

/** Candidates come in the order in which they stood; none (0): the list was lost for want of memory. */
export function windowCandidate(rule: usize, group: usize): void {
  if (group) {
    hold(true);
    addCandidate(rule, group);
    hold(false);
    return;
  }
  store<u32>(rule, 0, RULE_CANDIDATES);
  store<u32>(rule, 0, RULE_CANDIDATE_COUNT);
}

/** Where the kernel stands beside its groups, 16 bytes: f64 latest event of all streams, u32 rule looked over last, u32 steps of looking. */
export function windowMark(out: usize): void {
  store<f64>(out, latestMsOf());
  store<u32>(out, turnOf(), 8);
  store<u32>(out, stepsOf(), 12);
}

export function windowResume(mark: usize): void {
  setLatestMs(load<f64>(mark));
  setStepsOf(load<u32>(mark, 8), load<u32>(mark, 12));
}
