import {
  CANDIDATES_CAPACITY, CANDIDATES_COLUMNS, CANDIDATES_COLUMN_COUNT, CANDIDATES_FLAGS, CANDIDATES_FULL, CANDIDATES_TEXTS, CANDIDATES_WITH_V6,
  COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS, KIND_STRING, LISTED_ADDRESS, LISTED_BYTES, LISTED_DOMAIN, LISTED_URL,
} from "../layout";
import { addressV4, addressV6, holdsColon } from "../match/address";
import { mayBeListed4, mayBeName, openFilter } from "./filter";

/** Which values of the columns that name addresses, domains, URLs and hashes may be listed. */

const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;
const SLASH: u32 = 0x2f;
const bytes: usize = memory.data(16);

let out: usize = 0;
let count: u32 = 0;
let capacity: u32 = 0;
let withV6: bool = false;

// @ts-ignore: decorator
@inline
function isLetter(c: u32): bool {
  return (c | 0x20) - 97 < 26;
}

/** Of the sixteen bytes that stand for an IPv6 address; one that stands for an IPv4 address is that. */
export function mayBeListed6(address: usize, withV6: bool): bool {
  const isMapped = load<u64>(address) == 0 && load<u32>(address, 8) == 0xffff0000;
  return isMapped ? mayBeListed4(bswap<u32>(load<u32>(address, 12))) != 0 : withV6;
}

// @ts-ignore: decorator
@inline
function inScheme(c: u32): bool {
  return isLetter(c) || c - 48 < 10 || c == 0x2b || c == 0x2d || c == DOT;
}

function mayBeAddress(p: usize, n: usize): bool {
  const four = addressV4(p, n);
  if (four >= 0) return mayBeListed4(<u32>four) != 0;
  return n < 46 && holdsColon(p, n) && addressV6(p, n, bytes) && mayBeListed6(bytes, withV6);
}

/** A name without a dot is no domain. */
function mayBeDomain(p: usize, n: usize): bool {
  const end = p + n;
  let dot = p;
  if (ASC_FEATURE_SIMD) {
    while (dot < end && !v128.any_true(i8x16.eq(v128.load(dot), i8x16.splat(0x2e)))) dot += 16;
  } else while (dot < end && load<u8>(dot) != DOT) dot++;
  return dot < end && mayBeName(p, n, true);
}

/** Where a URL names its host, behind `scheme://` or `//`, or at its beginning. */
function hostStart(p: usize, end: usize): usize {
  let q = p;
  if (isLetter(load<u8>(p))) while (q < end && inScheme(load<u8>(q))) q++;
  if (q > p) {
    if (q < end && load<u8>(q) == COLON) q++;
    else q = p;
  }
  return q + 1 < end && load<u8>(q) == SLASH && load<u8>(q + 1) == SLASH ? q + 2 : p;
}

function mayBeUrl(p: usize, n: usize): bool {
  const end = p + n;
  // Most are paths of a server.
  if (!n || (load<u8>(p) == SLASH && (n == 1 || load<u8>(p + 1) != SLASH))) return false;
  const host = hostStart(p, end);
  let hostEnd: usize = 0;
  let q = host;
  for (; q < end; q++) {
    const c = <u32>load<u8>(q);
    if (c == SLASH || c == 0x3f || c == 0x23 || c == 32 || c - 9 < 5) break;
    // Who comes first, user or host, is told by the host.
    if (c == 0x40 || c > 127) return true;
    if (c == COLON && !hostEnd) hostEnd = q;
  }
  if (!hostEnd) hostEnd = q;
  return hostEnd == host || hostEnd - host > 512 || mayBeName(host, hostEnd - host, true);
}

// @ts-ignore: decorator
@inline
function mayBeListed(kind: u32, p: usize, n: usize): bool {
  if (kind == LISTED_DOMAIN) return mayBeDomain(p, n);
  if (kind == LISTED_URL) return mayBeUrl(p, n);
  if (kind == LISTED_ADDRESS) return mayBeAddress(p, n);
  return (n == 32 || n == 40 || n == 64) && mayBeName(p, n, false);
}

function look(cell: u64, row: u32, column: u32, kind: u32): void {
  if (<u32>(cell >> 60) != KIND_STRING || !mayBeListed(kind, <usize>(<u32>cell), <usize>(<u32>(cell >> 32) & 0x0fffffff))) return;
  if (count < capacity) {
    const text = out + <usize>count * LISTED_BYTES;
    store<u32>(text, row);
    store<u32>(text, column, 4);
    store<u64>(text, cell, 8);
  }
  count++;
}

/** @returns how many values there are; CANDIDATES_FULL when they do not fit: then the first of them are there. */
export function listedTexts(struct: usize, rows: u32): u32 {
  openFilter(struct);
  out = load<u32>(struct, CANDIDATES_TEXTS);
  capacity = load<u32>(struct, CANDIDATES_CAPACITY);
  withV6 = (load<u32>(struct, CANDIDATES_FLAGS) & CANDIDATES_WITH_V6) != 0;
  const columns = <usize>load<u32>(struct, CANDIDATES_COLUMNS);
  const columnCount = load<u32>(struct, CANDIDATES_COLUMN_COUNT);
  count = 0;
  for (let c: u32 = 0; c < columnCount; c++) {
    const column = <usize>load<u32>(columns + (<usize>c << 3));
    const kind = load<u32>(columns + (<usize>c << 3), 4);
    if (load<u32>(column, COLUMN_BLANK)) continue;
    const cells = <usize>load<u32>(column, COLUMN_CELLS);
    for (let row: u32 = 0; row < rows; row++) {
      const cell = load<u64>(cells + (<usize>row << 3));
      if (cell) look(cell, row, c, kind);
    }
    const extraCells = <usize>load<u32>(column, COLUMN_EXTRA_CELLS);
    const extraRows = <usize>load<u32>(column, COLUMN_EXTRA_ROWS);
    const extras = load<u32>(column, COLUMN_EXTRA_COUNT);
    for (let i: u32 = 0; i < extras; i++) look(load<u64>(extraCells + (<usize>i << 3)), load<u32>(extraRows + (<usize>i << 2)), c, kind);
  }
  return count > capacity ? CANDIDATES_FULL : count;
}
