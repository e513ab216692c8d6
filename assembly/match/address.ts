/** Reading IP address texts. */

/** The four bytes of a dotted quad as a number, or -1. Leading zeros are refused, as their meaning differs between readers. */
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

/** Value of a hexadecimal digit, or 16 and more. */
// @ts-ignore: decorator
@inline
function hexDigit(c: u32): u32 {
  const digit = c - 48;
  if (digit < 10) return digit;
  const letter = (c | 0x20) - 97;
  return letter < 6 ? letter + 10 : 16;
}

/**
 * RFC 4291 text forms: eight groups, one `::` in place of one or more zero groups, a dotted quad at the end. No zone.
 *
 * Writes 16 bytes in network order at `out`; false when the text is none of these.
 */
export function addressV6(p: usize, n: usize, out: usize): bool {
  if (n < 2 || n > 45) return false;
  const end = p + n;
  let groups: usize = 0;
  let gap: isize = -1;
  if (load<u8>(p) == 0x3a) {
    // A colon at the beginning is the first of two.
    if (load<u8>(p, 1) != 0x3a) return false;
    gap = 0;
    p += 2;
  }
  while (p < end) {
    const start = p;
    let group: u32 = 0;
    while (p < end) {
      const digit = hexDigit(load<u8>(p));
      if (digit > 15) break;
      group = (group << 4) | digit;
      p++;
    }
    const digits = p - start;
    if (p < end && load<u8>(p) == 0x2e) {
      const quad = addressV4(start, end - start);
      if (quad < 0 || groups > 6) return false;
      store<u32>(out + (groups << 1), bswap<u32>(<u32>quad));
      groups += 2;
      break;
    }
    if (!digits || digits > 4 || groups == 8) return false;
    store<u16>(out + (groups << 1), bswap<u16>(<u16>group));
    groups++;
    if (p == end) break;
    if (load<u8>(p) != 0x3a) return false;
    p++;
    if (p == end) return false;
    if (load<u8>(p) == 0x3a) {
      if (gap >= 0) return false;
      gap = <isize>groups;
      p++;
    }
  }
  if (gap < 0) return groups == 8;
  if (groups > 7) return false;
  // What stands after the gap moves to the end.
  const missing: usize = <usize>8 - groups;
  const tail = groups - <usize>gap;
  memory.copy(out + ((<usize>gap + missing) << 1), out + (<usize>gap << 1), tail << 1);
  memory.fill(out + (<usize>gap << 1), 0, missing << 1);
  return true;
}

export function holdsColon(p: usize, n: usize): bool {
  for (let i: usize = 0; i < n; i++) if (load<u8>(p + i) == 0x3a) return true;
  return false;
}

/** RFC 5952 text of 16 bytes: lower case, no leading zeros, the longest run of two or more zero groups as `::`. Returns its length, at most 39. */
export function writeV6(address: usize, out: usize): usize {
  let gap: usize = 8;
  let gapGroups: usize = 1;
  for (let i: usize = 0; i < 8; i++) {
    let groups: usize = 0;
    while (i + groups < 8 && load<u16>(address + ((i + groups) << 1)) == 0) groups++;
    if (groups > gapGroups) {
      gap = i;
      gapGroups = groups;
    }
  }
  let p = out;
  for (let i: usize = 0; i < 8; i++) {
    if (i == gap) {
      store<u16>(p, 0x3a3a);
      p += 2;
      i += gapGroups - 1;
      continue;
    }
    if (i && i != gap + gapGroups) store<u8>(p++, 0x3a);
    const group = <u32>bswap<u16>(load<u16>(address + (i << 1)));
    for (let shift: i32 = group > 0xfff ? 12 : group > 0xff ? 8 : group > 0xf ? 4 : 0; shift >= 0; shift -= 4) {
      const digit = (group >> shift) & 15;
      store<u8>(p++, <u8>(digit + (digit < 10 ? 48 : 87)));
    }
  }
  return p - out;
}
