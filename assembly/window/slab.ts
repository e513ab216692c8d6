import { PAGE_BYTES } from "../layout";
import { freePages, orderOf, takePages } from "./pages";

// A page of equal pieces: u32 class, u32 free (list), u32 used, u32 fresh (offset of what was never given out),
// u32 next, u32 previous (pages of the class that have room), 8 bytes unused.
const PAGE_CLASS: usize = 0;
const PAGE_FREE: usize = 4;
const PAGE_USED: usize = 8;
const PAGE_FRESH: usize = 12;
const PAGE_NEXT: usize = 16;
const PAGE_PREVIOUS: usize = 20;
const PAGE_HEAD: u32 = 32;
/** Larger pieces are whole blocks of pages. */
const PIECE_CAP: usize = 8192;
const roomy: usize = memory.data(256);

export function slabStart(): void {
  memory.fill(roomy, 0, 256);
}

// Steps of 8 bytes up to 128, then eight classes to every doubling: at most an eighth is lost.
function classOf(bytes: usize): u32 {
  const n = <u32>bytes;
  if (n <= 128) return n <= 8 ? 0 : ((n + 7) >> 3) - 1;
  const shift = 28 - clz<u32>(n - 1);
  return ((shift - 3) << 3) + ((n - 1) >> shift);
}

function sizeOf(kind: u32): u32 {
  if (kind < 16) return (kind + 1) << 3;
  const shift = ((kind - 8) >> 3) + 3;
  return ((kind & 7) + 9) << shift;
}

function link(page: usize, list: usize): void {
  const next = load<u32>(list);
  store<u32>(page, next, PAGE_NEXT);
  store<u32>(page, 0, PAGE_PREVIOUS);
  if (next) store<u32>(<usize>next, <u32>page, PAGE_PREVIOUS);
  store<u32>(list, <u32>page);
}

function unlink(page: usize, list: usize): void {
  const next = load<u32>(page, PAGE_NEXT);
  const previous = load<u32>(page, PAGE_PREVIOUS);
  if (next) store<u32>(<usize>next, previous, PAGE_PREVIOUS);
  if (previous) store<u32>(<usize>previous, next, PAGE_NEXT);
  else store<u32>(list, next);
}

function freshPage(kind: u32): usize {
  const page = takePages(0);
  if (!page) return 0;
  store<u32>(page, kind, PAGE_CLASS);
  store<u32>(page, 0, PAGE_FREE);
  store<u32>(page, 0, PAGE_USED);
  store<u32>(page, PAGE_HEAD, PAGE_FRESH);
  link(page, roomy + (<usize>kind << 2));
  return page;
}

/** A piece of memory, its bytes as they come; 0 when there is no room. */
export function takePiece(bytes: usize): usize {
  if (bytes > PIECE_CAP) return takePages(orderOf(bytes));
  const kind = classOf(bytes);
  const size = sizeOf(kind);
  const list = roomy + (<usize>kind << 2);
  let page = <usize>load<u32>(list);
  if (!page) {
    page = freshPage(kind);
    if (!page) return 0;
  }
  store<u32>(page, load<u32>(page, PAGE_USED) + 1, PAGE_USED);
  let piece = <usize>load<u32>(page, PAGE_FREE);
  if (piece) store<u32>(page, load<u32>(piece), PAGE_FREE);
  else {
    const fresh = load<u32>(page, PAGE_FRESH);
    piece = page + <usize>fresh;
    store<u32>(page, fresh + size, PAGE_FRESH);
  }
  if (!load<u32>(page, PAGE_FREE) && load<u32>(page, PAGE_FRESH) + size > <u32>PAGE_BYTES) unlink(page, list);
  return piece;
}

/** Takes a piece back; `bytes` as when it was given. */
export function givePiece(piece: usize, bytes: usize): void {
  if (bytes > PIECE_CAP) {
    freePages(piece);
    return;
  }
  const page = piece & ~(<usize>PAGE_BYTES - 1);
  const kind = load<u32>(page, PAGE_CLASS);
  const list = roomy + (<usize>kind << 2);
  const wasFull = !load<u32>(page, PAGE_FREE) && load<u32>(page, PAGE_FRESH) + sizeOf(kind) > <u32>PAGE_BYTES;
  store<u32>(piece, load<u32>(page, PAGE_FREE));
  store<u32>(page, <u32>piece, PAGE_FREE);
  const left = load<u32>(page, PAGE_USED) - 1;
  store<u32>(page, left, PAGE_USED);
  if (wasFull) link(page, list);
  // One empty page of a class stays, or a piece taken and given in turn would cost a page each time.
  if (!left && (load<u32>(page, PAGE_NEXT) || load<u32>(page, PAGE_PREVIOUS))) {
    unlink(page, list);
    freePages(page);
  }
}
