import { inBlock, parseAddress, parseCidrBlock } from "../event/address.ts";

/** Blocks that nobody meets on the public internet: private, loopback, link-local, shared, documentation, benchmarks, multicast, reserved. */
const reserved = [
  "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15",
  "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "::/127", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "fc00::/7", "fe80::/10", "ff00::/8",
].map((text) => parseCidrBlock(text)!);
const mapped = parseCidrBlock("::ffff:0:0/96")!;

/** Is the text an address of the public internet? An IPv4 address written as IPv6 is looked at as what it is. */
export function isPublicAddress(text: string): boolean {
  const bytes = parseAddress(text);
  if (!bytes) return false;
  const plain = inBlock(bytes, mapped) ? bytes.slice(12) : bytes;
  return !reserved.some((block) => inBlock(plain, block));
}
