import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { ZstdFrames } from "../batch/input-zstd.ts";
import { Refused } from "./exchange.ts";

type Unpack = (bytes: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>;

/** Up to here a body is unpacked at once: a way over another thread costs more. */
const SYNC_BYTES = 64 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** Largest window of a zstd frame: what a decoder must hold in memory is the sender's choice otherwise. */
const ZSTD_WINDOW_LOG = 24;

/** Each frame takes a decoder of its own: a body of nothing but frames would keep everybody else waiting for minutes. */
const ZSTD_FRAMES = 256;

/** Codings of a `Content-Encoding` header, last applied last; identity left out. */
export function codingsOf(header: string | undefined): readonly string[] {
  return (header ?? "").split(",").map((name) => name.trim().toLowerCase()).filter((name) => name !== "" && name !== "identity");
}

/**
 * A body as it was before it was packed.
 *
 * Throws `bad-encoding` for codings not known, `bad-body` for damaged bytes or hundreds of frames, `too-large` as soon as more than `limit` bytes come out.
 */
export async function unpack(bytes: Buffer, header: string | undefined, limit: number): Promise<Buffer> {
  const codings = codingsOf(header);
  if (codings.length > 1) throw new Refused("bad-encoding", "more than one content encoding");
  const coding = codings[0];
  if (coding === undefined) {
    if (bytes.length > limit) throw tooLarge(limit);
    return bytes;
  }
  if (bytes.length === 0) return bytes;
  try {
    switch (coding) {
      case "gzip": case "x-gzip": return await inflate(bytes, limit, zlib.gunzipSync, promisify(zlib.gunzip) as Unpack);
      case "deflate": return await (hasZlibHeader(bytes) ? inflate(bytes, limit, zlib.inflateSync, promisify(zlib.inflate) as Unpack) : inflate(bytes, limit, zlib.inflateRawSync, promisify(zlib.inflateRaw) as Unpack));
      case "zstd": return await unpackZstd(bytes, limit);
    }
  } catch (error) {
    if (error instanceof Refused) throw error;
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(limit);
    throw new Refused("bad-body", `the body is no whole ${coding}`);
  }
  throw new Refused("bad-encoding", "the content encoding is none of gzip, deflate, zstd, identity");
}

/** Bytes that may be gzip, such as one record of a stream; undefined when they are damaged. Throws `too-large`. */
export async function gunzipOr(bytes: Buffer, limit: number): Promise<Buffer | undefined> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await unpack(bytes, "gzip", limit);
  } catch (error) {
    if (error instanceof Refused && error.kind === "bad-body") return undefined;
    throw error;
  }
}

async function inflate(bytes: Buffer, limit: number, now: (bytes: Uint8Array, options: zlib.ZlibOptions) => Buffer, later: Unpack): Promise<Buffer> {
  const options = { maxOutputLength: limit, chunkSize: CHUNK_BYTES };
  // A buffer of a whole chunk is made each time, and a stream brings thousands of small ones.
  return bytes.length <= SYNC_BYTES ? now(bytes, { ...options, chunkSize: Math.max(1024, Math.min(64 * 1024, 4 * bytes.length)) }) : later(bytes, options);
}

/** RFC 1950: deflate in a window of at most 32 KB, and a check over the first two bytes. */
function hasZlibHeader(bytes: Buffer): boolean {
  return (bytes[0]! & 0x0f) === 8 && ((bytes[0]! << 8) | (bytes[1] ?? 0)) % 31 === 0;
}

/** Frame by frame: the decoder drops what follows the first. */
async function unpackZstd(bytes: Buffer, limit: number): Promise<Buffer> {
  if (typeof zlib.zstdDecompress !== "function") throw new Refused("bad-encoding", "this Node.js has no zstd: send gzip");
  const frames = new ZstdFrames();
  const out: Buffer[] = [];
  let frame: Uint8Array[] = [];
  let size = 0;
  let count = 0;
  for (const part of frames.parts(bytes)) {
    frame.push(part.bytes);
    if (!part.endsFrame) continue;
    if (++count > ZSTD_FRAMES) throw new Refused("bad-body", `the body is over ${ZSTD_FRAMES} zstd frames`);
    const options = { maxOutputLength: Math.max(1, limit - size), chunkSize: CHUNK_BYTES, params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } };
    const packed = Buffer.concat(frame);
    const content = packed.length <= SYNC_BYTES ? zlib.zstdDecompressSync(packed, options) : await promisify(zlib.zstdDecompress)(packed, options);
    size += content.length;
    if (size > limit) throw tooLarge(limit);
    out.push(content);
    frame = [];
  }
  if (!frames.betweenFrames) throw new Refused("bad-body", "the body's last zstd frame is cut short");
  return out.length === 1 ? out[0]! : Buffer.concat(out, size);
}

export function tooLarge(limit: number): Refused {
  return new Refused("too-large", `the body is over ${limit} bytes`);
}
