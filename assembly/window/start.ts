import {
  RULE_GROUP_COUNT, RULE_COLD_HEAD, RULE_COLD_TAIL, RULE_HOT_HEAD, RULE_HOT_TAIL, RULE_SHARED, RULE_SHARED_GROUP, WINDOW_HASH_MASK, WINDOW_PAGES, WINDOW_PAGES_END,
  WINDOW_PAGE_TABLE, WINDOW_RULES, WINDOW_RULE_COUNT, WINDOW_SEED,
} from "../layout";
import { applyStart } from "./apply";
import { candidatesStart } from "./candidates";
import { eventsStart } from "./events";
import { evictStart } from "./evict";
import { bareGroup } from "./group";
import { pagesStart } from "./pages";
import { slabStart } from "./slab";
import { tableStart } from "./table";

/** Begins with nothing kept. 0 when the memory does not even hold an empty table. */
export function windowStart(engine: usize): u32 {
  pagesStart(<usize>load<u32>(engine, WINDOW_PAGES), <usize>load<u32>(engine, WINDOW_PAGES_END), <usize>load<u32>(engine, WINDOW_PAGE_TABLE));
  slabStart();
  evictStart(engine);
  eventsStart(engine);
  applyStart(engine);
  if (!tableStart(load<u64>(engine, WINDOW_SEED), load<u32>(engine, WINDOW_HASH_MASK))) return 0;
  const rules = load<u32>(engine, WINDOW_RULE_COUNT);
  for (let i: u32 = 0; i < rules; i++) {
    const rule = <usize>load<u32>(<usize>load<u32>(engine, WINDOW_RULES) + (<usize>i << 2));
    store<u32>(rule, 0, RULE_GROUP_COUNT);
    store<u32>(rule, 0, RULE_COLD_HEAD);
    store<u32>(rule, 0, RULE_COLD_TAIL);
    store<u32>(rule, 0, RULE_HOT_HEAD);
    store<u32>(rule, 0, RULE_HOT_TAIL);
    store<u32>(rule, 0, RULE_SHARED_GROUP);
    if (!load<u32>(rule, RULE_SHARED)) continue;
    const shared = bareGroup(rule, 0, 0);
    if (!shared) return 0;
    store<u32>(rule, <u32>shared, RULE_SHARED_GROUP);
    candidatesStart(rule);
  }
  return 1;
}
