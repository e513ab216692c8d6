import { PAGE_BYTES } from "../layout";

// Blocks of 2^order pages by the buddy scheme, so that a table that doubles gives its old place back whole.
const ORDERS: u32 = 15;
const FREE: u8 = 0x80;
const free: usize = memory.data(64);

let base: usize = 0;
let end: usize = 0;
let frontier: usize = 0;
// Of a block's first page: its order + 1, FREE set while it is free. 0 inside blocks.
let orders: usize = 0;
let used: u32 = 0;

export function pagesStart(start: usize, limit: usize, table: usize): void {
  base = start;
  end = limit;
  frontier = start;
  orders = table;
  used = 0;
  memory.fill(free, 0, 64);
  memory.fill(table, 0, (limit - start) / PAGE_BYTES);
}

export function pagesUsed(): u32 {
  return used;
}

/** Is most of the memory still free? Then more may be kept than must be. */
export function isRoomy(): bool {
  return <usize>used < (end - base) >> 18;
}

/** Smallest order whose block holds this many bytes. */
export function orderOf(bytes: usize): u32 {
  let order: u32 = 0;
  while ((<usize>PAGE_BYTES << order) < bytes) order++;
  return order;
}

// @ts-ignore: decorator
@inline
function pageOf(block: usize): usize {
  return (block - base) >> 16;
}

// A free block's first words: next, previous.
function link(block: usize, order: u32): void {
  const list = free + (<usize>order << 2);
  const next = load<u32>(list);
  store<u32>(block, next);
  store<u32>(block, 0, 4);
  if (next) store<u32>(<usize>next, <u32>block, 4);
  store<u32>(list, <u32>block);
  store<u8>(orders + pageOf(block), FREE | <u8>(order + 1));
}

function unlink(block: usize, order: u32): void {
  const next = load<u32>(block);
  const previous = load<u32>(block, 4);
  if (next) store<u32>(<usize>next, previous, 4);
  if (previous) store<u32>(<usize>previous, next);
  else store<u32>(free + (<usize>order << 2), next);
  store<u8>(orders + pageOf(block), 0);
}

function give(block: usize, order: u32): usize {
  store<u8>(orders + pageOf(block), <u8>(order + 1));
  used += 1 << order;
  return block;
}

/** Address of 2^order pages; 0 when there is no room. */
export function takePages(order: u32): usize {
  if (order >= ORDERS) return 0;
  for (let o = order; o < ORDERS; o++) {
    const block = <usize>load<u32>(free + (<usize>o << 2));
    if (!block) continue;
    unlink(block, o);
    while (o > order) {
      o--;
      link(block + (<usize>PAGE_BYTES << o), o);
    }
    return give(block, order);
  }
  const size = <usize>PAGE_BYTES << order;
  const skipped = (size - ((frontier - base) & (size - 1))) & (size - 1);
  // 64 bytes beyond a block may be read.
  if (<u64>frontier + <u64>skipped + <u64>size + 64 > <u64>end) return 0;
  const wanted = <i32>((frontier + skipped + size + 64 + PAGE_BYTES - 1) >> 16);
  // By the megabyte: growing is a call into the engine.
  if (wanted > memory.size() && memory.grow(wanted - memory.size() + 15) < 0 && memory.grow(wanted - memory.size()) < 0) return 0;
  // What a block's alignment skips is free.
  while ((frontier - base) & (size - 1)) {
    const piece = ctz<u32>(<u32>pageOf(frontier));
    link(frontier, piece);
    frontier += <usize>PAGE_BYTES << piece;
  }
  frontier += size;
  return give(frontier - size, order);
}

export function freePages(address: usize): void {
  let block = address;
  let order = <u32>load<u8>(orders + pageOf(block)) - 1;
  used -= 1 << order;
  store<u8>(orders + pageOf(block), 0);
  while (order + 1 < ORDERS) {
    const buddy = base + ((block - base) ^ (<usize>PAGE_BYTES << order));
    if (buddy >= frontier || load<u8>(orders + pageOf(buddy)) != (FREE | <u8>(order + 1))) break;
    unlink(buddy, order);
    if (buddy < block) block = buddy;
    order++;
  }
  link(block, order);
}
