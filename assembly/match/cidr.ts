import { addressV4, addressV6, holdsColon } from "./address";

const bytes: usize = memory.data(16);

/** Is the address in one of the ranges? They are disjoint and ascending, so the last one that begins at or below it decides. */
function inRangesV4(address: u32, ranges: usize, count: u32): bool {
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(ranges + (<usize>middle << 3)) <= address) low = middle + 1;
    else high = middle;
  }
  return low > 0 && address <= load<u32>(ranges + (<usize>(low - 1) << 3), 4);
}

function inRangesV6(address: usize, ranges: usize, count: u32): bool {
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (memory.compare(ranges + (<usize>middle << 5), address, 16) <= 0) low = middle + 1;
    else high = middle;
  }
  return low > 0 && memory.compare(address, ranges + (<usize>(low - 1) << 5) + 16, 16) <= 0;
}

/**
 * Is the text an address in one of the ranges? An IPv4 address is never in an IPv6 range, nor the other way round.
 *
 * @param v4 u32 first, u32 last of each range. @param v6 16 bytes first, 16 bytes last, network order.
 */
export function inRanges(p: usize, n: usize, v4: usize, v4Count: u32, v6: usize, v6Count: u32): bool {
  const address = addressV4(p, n);
  if (address >= 0) return inRangesV4(<u32>address, v4, v4Count);
  return v6Count > 0 && n >= 2 && n <= 45 && holdsColon(p, n) && addressV6(p, n, bytes) && inRangesV6(bytes, v6, v6Count);
}
