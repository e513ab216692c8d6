import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { ApiError, badRequest } from "../api-error.ts";

const unpack = promisify(inflateRaw);
const END = 0x06054b50;
const ENTRY = 0x02014b50;
const FILE = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const FILE_BYTES = 30;
const LONGEST_COMMENT = 65_535;
const STORED = 0;
const DEFLATED = 8;
/** Stands where a ZIP64 says it elsewhere. */
const ELSEWHERE = 0xffffffff;

export interface ZipLimits {
  readonly files: number;
  /** Unpacked, of all files together. */
  readonly bytes: number;
}

/**
 * Files of a ZIP whose names `wants` takes, unpacked in a thread of their own, and never beyond the limits: what an archive says of its
 * sizes is not believed. Rejects with an `ApiError` of 400.
 */
export async function unzip(zip: Buffer, wants: (name: string) => boolean, most: ZipLimits): Promise<{ readonly name: string; readonly bytes: Buffer }[]> {
  const found = new Map<string, Buffer>();
  let left = most.bytes;
  for (const { name, method, packed } of entriesOf(zip, wants, most.files)) {
    const bytes = method === STORED ? packed : await unpack(packed, { maxOutputLength: Math.max(1, left) }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ERR_BUFFER_TOO_LARGE" ? tooLarge(most) : badRequest(`the ZIP cannot be read: ${name.slice(0, 200)} is damaged`);
    });
    if ((left -= bytes.length) < 0) throw tooLarge(most);
    if (found.has(name)) throw badRequest(`the ZIP holds ${name.slice(0, 200)} twice`);
    found.set(name, bytes);
  }
  return [...found].map(([name, bytes]) => ({ name, bytes }));
}

function entriesOf(zip: Buffer, wants: (name: string) => boolean, mostFiles: number): { readonly name: string; readonly method: number; readonly packed: Buffer }[] {
  const end = endOf(zip);
  const entries: { readonly name: string; readonly method: number; readonly packed: Buffer }[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let i = zip.readUInt16LE(end + 10); i > 0; i--) {
    if (at + ENTRY_BYTES > zip.length || zip.readUInt32LE(at) !== ENTRY) throw damaged();
    const [flags, method, size, nameBytes, place] = [zip.readUInt16LE(at + 8), zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28), zip.readUInt32LE(at + 42)];
    const name = zip.toString("utf8", at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes);
    at += ENTRY_BYTES + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    if (name.endsWith("/") || !wants(name)) continue;
    if (size === ELSEWHERE || place === ELSEWHERE || (flags & 1) !== 0 || (method !== STORED && method !== DEFLATED)) throw badRequest(`the ZIP cannot be read: ${name.slice(0, 200)} is encrypted, or packed in a way that is not read here`);
    if (place + FILE_BYTES > zip.length || zip.readUInt32LE(place) !== FILE) throw damaged();
    const from = place + FILE_BYTES + zip.readUInt16LE(place + 26) + zip.readUInt16LE(place + 28);
    if (from + size > zip.length) throw damaged();
    if (entries.push({ name, method, packed: zip.subarray(from, from + size) }) > mostFiles) throw badRequest(`the ZIP holds more than ${mostFiles} files`);
  }
  return entries;
}

/** Where the list of files is told of: at the end, but for a comment. */
function endOf(zip: Buffer): number {
  for (let at = zip.length - END_BYTES; at >= 0 && at >= zip.length - END_BYTES - LONGEST_COMMENT; at--) if (zip.readUInt32LE(at) === END) return at;
  throw damaged();
}

function tooLarge({ bytes }: ZipLimits): ApiError {
  return badRequest(`the ZIP unpacks to more than ${bytes} bytes`);
}

function damaged(): ApiError {
  return badRequest("the ZIP cannot be read: it is cut short, or damaged");
}
