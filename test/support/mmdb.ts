import { parseCidrBlock } from "../../host/event/address.ts";

/** A value of a database. Whole numbers are written as unsigned ones, others as doubles. */
export type MmdbValue = string | number | boolean | readonly MmdbValue[] | { readonly [name: string]: MmdbValue };

export interface MmdbOptions {
  readonly type?: string;
  /** Seconds since 1970. */
  readonly built?: number;
  /** Bits of a record in the tree. */
  readonly recordBits?: 24 | 28 | 32;
  readonly ipVersion?: 4 | 6;
}

interface Node {
  readonly sides: [Node | number | undefined, Node | number | undefined];
}

const SEPARATOR_BYTES = 16;
const MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");

/**
 * A MaxMind DB file (format 2.0) of networks and what is known of them. Narrower networks count before those around them.
 *
 * @param table by block in CIDR
 */
export function mmdb(table: Readonly<Record<string, MmdbValue>>, { type = "Tiny-City", built = 1_771_545_600, recordBits = 28, ipVersion = 6 }: MmdbOptions = {}): Buffer {
  const data = new DataSection();
  const root: Node = { sides: [undefined, undefined] };
  const blocks = Object.entries(table).map(([text, value]) => ({ block: parseCidrBlock(text)!, value }));
  for (const { block, value } of blocks.toSorted((a, b) => a.block.prefix - b.block.prefix)) {
    // IPv4 lies at ::/96 of a tree of both.
    const isWithin = block.family === 4 && ipVersion === 6;
    insert(root, isWithin ? [...Array.from({ length: 12 }, () => 0), ...block.bytes] : block.bytes, block.prefix + (isWithin ? 96 : 0), data.offsetOf(value));
  }
  const nodes = numbered(root);
  const valueOf = (side: Node | number | undefined): number => (side === undefined ? nodes.size : typeof side === "number" ? nodes.size + SEPARATOR_BYTES + side : nodes.get(side)!);
  const tree = Buffer.concat([...nodes.keys()].map(({ sides: [left, right] }) => nodeBytes(valueOf(left), valueOf(right), recordBits)));
  const metadata = encoded({
    binary_format_major_version: 2, binary_format_minor_version: 0, build_epoch: built, database_type: type, description: { en: "made by a test" }, ip_version: ipVersion,
    languages: ["en"], node_count: nodes.size, record_size: recordBits,
  });
  return Buffer.concat([tree, Buffer.alloc(SEPARATOR_BYTES), data.bytes(), MARKER, metadata]);
}

function insert(root: Node, bytes: readonly number[], prefix: number, offset: number): void {
  let node = root;
  for (let depth = 0; depth < prefix; depth++) {
    const side = (bytes[depth >> 3]! >> (7 - (depth & 7))) & 1;
    if (depth === prefix - 1) {
      node.sides[side] = offset;
      return;
    }
    const below = node.sides[side];
    // A network within another: the one around it goes on beside it.
    const next: Node = typeof below === "object" ? below : { sides: [below, below] };
    node.sides[side] = next;
    node = next;
  }
}

function numbered(root: Node): Map<Node, number> {
  const nodes = new Map<Node, number>([[root, 0]]);
  for (const { sides } of nodes.keys()) for (const side of sides) if (typeof side === "object") nodes.set(side, nodes.size);
  return nodes;
}

function nodeBytes(left: number, right: number, bits: 24 | 28 | 32): Buffer {
  const bytes = Buffer.alloc(bits / 4);
  if (bits === 32) {
    bytes.writeUInt32BE(left, 0);
    bytes.writeUInt32BE(right, 4);
    return bytes;
  }
  bytes.writeUIntBE(left & 0xffffff, 0, 3);
  bytes.writeUIntBE(right & 0xffffff, bits === 28 ? 4 : 3, 3);
  if (bits === 28) bytes[3] = ((left >>> 24) << 4) | (right >>> 24);
  return bytes;
}

/** Values one behind the other, each once; texts of more than a few letters are led to by pointers. */
class DataSection {
  readonly #parts: Buffer[] = [];
  readonly #offsets = new Map<string, number>();
  #length = 0;

  offsetOf(value: MmdbValue): number {
    const name = JSON.stringify(value);
    let offset = this.#offsets.get(name);
    if (offset === undefined) {
      const bytes = encoded(value, (text) => (text.length > 3 ? pointer(this.offsetOf(text)) : undefined));
      offset = this.#length;
      this.#offsets.set(name, offset);
      this.#parts.push(bytes);
      this.#length += bytes.length;
    }
    return offset;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function pointer(offset: number): Buffer {
  if (offset < 2048) return Buffer.from([0x20 | (offset >> 8), offset & 255]);
  const rest = offset - 2048;
  if (rest < 1 << 19) return Buffer.from([0x28 | (rest >> 16), (rest >> 8) & 255, rest & 255]);
  const bytes = Buffer.alloc(5, 0x38);
  bytes.writeUInt32BE(offset, 1);
  return bytes;
}

type Shorten = (text: string) => Buffer | undefined;

/** @param shorten what stands for a text below the value itself */
function encoded(value: MmdbValue, shorten: Shorten = () => undefined): Buffer {
  const below = (inner: MmdbValue): Buffer => (typeof inner === "string" ? shorten(inner) : undefined) ?? encoded(inner, shorten);
  switch (typeof value) {
    case "string": {
      const bytes = Buffer.from(value);
      return Buffer.concat([control(2, bytes.length), bytes]);
    }
    case "boolean":
      return control(14, value ? 1 : 0);
    case "number": {
      if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(value);
        const short = bytes.subarray(bytes.findIndex((byte) => byte !== 0) < 0 ? 4 : bytes.findIndex((byte) => byte !== 0));
        return Buffer.concat([control(6, short.length), short]);
      }
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value);
      return Buffer.concat([control(3, 8), bytes]);
    }
    default: {
      if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(below)]);
      const entries = Object.entries(value as { readonly [name: string]: MmdbValue });
      return Buffer.concat([control(7, entries.length), ...entries.flatMap(([name, inner]) => [shorten(name) ?? encoded(name), below(inner)])]);
    }
  }
}

function control(type: number, size: number): Buffer {
  const head = type > 7 ? [0, type - 7] : [type << 5];
  if (size < 29) head[0]! |= size;
  else if (size < 285) {
    head[0]! |= 29;
    head.push(size - 29);
  } else {
    head[0]! |= 30;
    head.push((size - 285) >> 8, (size - 285) & 255);
  }
  return Buffer.from(head);
}
