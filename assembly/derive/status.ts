import { COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_COUNT, KIND_STRING } from "../layout";

// Canonical spellings, 12 bytes apart, in the order of syslog severities, then `ok`. Room to read 64 bytes beyond the last.
const NAME_BYTES: usize = 12;
const names: usize = memory.data<u8>([
  0x65, 0x6d, 0x65, 0x72, 0x67, 0x65, 0x6e, 0x63, 0x79, 0, 0, 9, // emergency
  0x61, 0x6c, 0x65, 0x72, 0x74, 0, 0, 0, 0, 0, 0, 5, // alert
  0x63, 0x72, 0x69, 0x74, 0x69, 0x63, 0x61, 0x6c, 0, 0, 0, 8, // critical
  0x65, 0x72, 0x72, 0x6f, 0x72, 0, 0, 0, 0, 0, 0, 5, // error
  0x77, 0x61, 0x72, 0x6e, 0, 0, 0, 0, 0, 0, 0, 4, // warn
  0x6e, 0x6f, 0x74, 0x69, 0x63, 0x65, 0, 0, 0, 0, 0, 6, // notice
  0x69, 0x6e, 0x66, 0x6f, 0, 0, 0, 0, 0, 0, 0, 4, // info
  0x64, 0x65, 0x62, 0x75, 0x67, 0, 0, 0, 0, 0, 0, 5, // debug
  0x6f, 0x6b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, // ok
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);
const INFO: u32 = 6;

function nameCell(index: u32): u64 {
  const at = names + <usize>index * NAME_BYTES;
  return <u64>at | (<u64>load<u8>(at, 11) << 32) | (<u64>KIND_STRING << 60);
}

// @ts-ignore: decorator
@inline
function lower(c: u32): u32 {
  return c - 65 < 26 ? c | 0x20 : c;
}

/** Which of the nine statuses a text or number means: the first letter decides, digits 0..7 are syslog severities. */
function statusIndex(p: usize, n: usize): u32 {
  const end = p + n;
  while (p < end && load<u8>(p) <= 32) p++;
  let last = end;
  while (last > p && load<u8>(last - 1) <= 32) last--;
  if (p == last) return INFO;
  const c = lower(load<u8>(p));
  if (last - p == 1 && c - 48 < 8) return c - 48;
  switch (c) {
    case 0x66: return 0;
    case 0x65:
      return last - p >= 5 && lower(load<u8>(p, 1)) == 0x6d && lower(load<u8>(p, 2)) == 0x65 && lower(load<u8>(p, 3)) == 0x72 && lower(load<u8>(p, 4)) == 0x67 ? 0 : 3;
    case 0x61: return 1;
    case 0x63: return 2;
    case 0x77: return 4;
    case 0x6e: return 5;
    case 0x64: case 0x74: case 0x76: return 7;
    case 0x6f: case 0x73: return 8;
    default: return INFO;
  }
}

/** Normalises the status column in place; a row without status is `info`. */
export function normalizeStatus(column: usize, mask: usize, rows: u32): void {
  const cells = <usize>load<u32>(column, COLUMN_CELLS);
  store<u32>(column, 0, COLUMN_EXTRA_COUNT);
  store<u32>(column, 0, COLUMN_BLANK);
  for (let row: u32 = 0; row < rows; row++) {
    if (mask && !((load<u8>(mask + (row >> 3)) >> <u8>(row & 7)) & 1)) continue;
    const at = cells + (<usize>row << 3);
    const cell = load<u64>(at);
    const index = cell ? statusIndex(<usize>(<u32>cell), <usize>(<u32>(cell >> 32) & 0x0fffffff)) : INFO;
    store<u64>(at, nameCell(index));
  }
}
