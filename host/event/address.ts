/** Bytes of an IP address: 4 or 16. */
export type AddressBytes = readonly number[];

export interface AddressBlock {
  readonly family: 4 | 6;
  /** Host bits masked away. */
  readonly bytes: AddressBytes;
  readonly prefix: number;
  readonly text: string;
}

/** Dotted-quad text as four bytes; leading zeros are refused, as their meaning differs between readers. */
function parseV4(text: string): AddressBytes | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || (part.length > 1 && part.startsWith("0")) || Number(part) > 255) return undefined;
    bytes.push(Number(part));
  }
  return bytes;
}

/** RFC 4291 text forms: eight groups, one `::`, a dotted quad at the end. No zone. */
function parseV6(text: string): AddressBytes | undefined {
  if (text.length < 2 || text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string): number[] | undefined => {
    const out: number[] = [];
    if (half === "") return out;
    const parts = half.split(":");
    for (const [i, part] of parts.entries()) {
      if (part.includes(".")) {
        const quad = i === parts.length - 1 ? parseV4(part) : undefined;
        if (!quad) return undefined;
        out.push((quad[0]! << 8) | quad[1]!, (quad[2]! << 8) | quad[3]!);
      } else {
        if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
        out.push(Number.parseInt(part, 16));
      }
    }
    return out;
  };
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  if (!head || !tail) return undefined;
  // A dotted quad stands for the last two groups only.
  if (halves.length === 2 && halves[0]!.includes(".")) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail].flatMap((group) => [group >> 8, group & 255]);
}

/** The bytes of an address text, or undefined when it is none. IPv4-mapped IPv6 stays IPv6. */
export function parseAddress(text: string): AddressBytes | undefined {
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

/** RFC 5952 text: lower case, no leading zeros, the longest run of zero groups (of two or more) as `::`. */
export function addressText(bytes: AddressBytes): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2]! << 8) | bytes[i * 2 + 1]!);
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) {
      best = i;
      bestLength = length;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (best < 0) return hex.join(":");
  return `${hex.slice(0, best).join(":")}::${hex.slice(best + bestLength).join(":")}`;
}

/** The address in canonical text, or undefined. */
export function canonicalAddress(text: string): string | undefined {
  const bytes = parseAddress(text);
  return bytes && addressText(bytes);
}

/** `address/prefix`; host bits are masked. */
export function parseCidrBlock(text: string): AddressBlock | undefined {
  const slash = text.indexOf("/");
  if (slash < 0 || !/^\d{1,3}$/.test(text.slice(slash + 1))) return undefined;
  const bytes = parseAddress(text.slice(0, slash));
  const prefix = Number(text.slice(slash + 1));
  if (!bytes || prefix > bytes.length * 8) return undefined;
  const masked = bytes.map((byte, i) => {
    const keep = Math.max(0, Math.min(8, prefix - i * 8));
    return byte & (0xff00 >> keep) & 0xff;
  });
  return { family: bytes.length === 4 ? 4 : 6, bytes: masked, prefix, text };
}

export function inBlock(bytes: AddressBytes, block: AddressBlock): boolean {
  if (bytes.length !== block.bytes.length) return false;
  return bytes.every((byte, i) => {
    const keep = Math.max(0, Math.min(8, block.prefix - i * 8));
    return (byte & (0xff00 >> keep) & 0xff) === block.bytes[i];
  });
}

const WORD = /[\p{L}\p{M}\p{N}_]/u;
const RUN = /[0-9A-Fa-f:.]+/g;

/**
 * Canonical texts of all addresses standing in a text.
 *
 * An address is not part of a longer word or number: no letter, digit, `_` or `.` before it, no word character after it,
 * nor a `.` that goes on into one. A sentence's own `.` or `:` at the end does not belong to it.
 */
export function findAddresses(text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(RUN)) {
    if (!match[0].includes(".") && !match[0].includes(":")) continue;
    for (const address of addressesIn(text, match.index, match.index + match[0].length)) found.push(address);
  }
  return found;
}

function wordBefore(text: string, at: number): boolean {
  if (at === 0) return false;
  const previous = text.codePointAt(at - 2);
  const character = previous !== undefined && previous > 0xffff ? String.fromCodePoint(previous) : text[at - 1]!;
  return WORD.test(character);
}

function wordAt(text: string, at: number): boolean {
  return at < text.length && WORD.test(String.fromCodePoint(text.codePointAt(at)!));
}

function addressesIn(text: string, start: number, end: number): string[] {
  const found: string[] = [];
  const run = text.slice(start, end);
  if (run.includes("::") || (run.match(/:/g)?.length ?? 0) >= 2) {
    const v6 = wholeRun(text, start, end);
    if (v6) return [v6];
  }
  // Within the run every dotted quad that stands alone: `10.0.0.1:443`, `:10.0.0.1`.
  for (const quad of run.matchAll(/\d{1,3}(?:\.\d{1,3}){3}/g)) {
    const from = start + quad.index;
    const to = from + quad[0].length;
    if (wordBefore(text, from) || text[from - 1] === ".") continue;
    if (wordAt(text, to) || (text[to] === "." && wordAt(text, to + 1))) continue;
    const bytes = parseV4(quad[0]);
    if (bytes) found.push(addressText(bytes));
  }
  return found;
}

/** The run as one IPv6 address, without the name before it in `client:2001:db8::1`, and without the sentence's last `.` or `:`. */
function wholeRun(text: string, start: number, end: number): string | undefined {
  if (wordAt(text, end)) return undefined;
  const colon = text.indexOf(":", start);
  // What is longer than a group, holds a dot or goes on from a letter is no group.
  const isNamed = colon > start + 4 || text.slice(start, colon).includes(".") || wordBefore(text, start);
  const first = isNamed ? colon + 1 : start;
  let last = end;
  for (let trimmed = 0; trimmed < 3 && last > first; trimmed++) {
    const bytes = parseV6(text.slice(first, last));
    if (bytes) return addressText(bytes);
    const character = text[last - 1];
    if (character !== "." && character !== ":") return undefined;
    last--;
  }
  return undefined;
}
