// IPv6 text has too many forms for the hot path; the host reads it: 16 bytes at `out`, 0 when it is no address.
// @ts-ignore: decorator
@external("host", "addressV6")
declare function hostAddressV6(address: usize, length: usize, out: usize): u32;

const v6: usize = memory.data(16);

/** Four bytes of a dotted quad in network order, or -1. */
export function addressV4(p: usize, n: usize): i64 {
  if (n < 7 || n > 15) return -1;
  const end = p + n;
  let address: u32 = 0;
  let octets: u32 = 0;
  while (true) {
    const start = p;
    let octet: u32 = 0;
    while (p < end && <u32>load<u8>(p) - 48 < 10) octet = octet * 10 + (<u32>load<u8>(p++) - 48);
    const digits = p - start;
    if (!digits || digits > 3 || octet > 255 || (digits > 1 && load<u8>(start) == 48)) return -1;
    address = (address << 8) | octet;
    octets++;
    if (p == end) return octets == 4 ? <i64>address : -1;
    if (octets == 4 || load<u8>(p) != 0x2e) return -1;
    p++;
  }
  return -1;
}

function holdsColon(p: usize, n: usize): bool {
  for (let i: usize = 0; i < n; i++) if (load<u8>(p + i) == 0x3a) return true;
  return false;
}

/** Blocks of 36 bytes: u32 family (4 or 16 bytes), 16 bytes of address, 16 bytes of mask. Is the text an address in one of them? */
export function inBlocks(p: usize, n: usize, blocks: usize, count: u32): bool {
  const address = addressV4(p, n);
  let size: u32 = 4;
  if (address >= 0) store<u32>(v6, bswap<u32>(<u32>address));
  else {
    if (n < 2 || n > 45 || !holdsColon(p, n) || !hostAddressV6(p, n, v6)) return false;
    size = 16;
  }
  for (let b: u32 = 0; b < count; b++) {
    const block = blocks + <usize>b * 36;
    if (load<u32>(block) != size) continue;
    let differs: u32 = 0;
    for (let i: usize = 0; i < <usize>size; i += 4) {
      differs |= (load<u32>(v6 + i) ^ load<u32>(block + 4 + i)) & load<u32>(block + 20 + i);
    }
    if (!differs) return true;
  }
  return false;
}
