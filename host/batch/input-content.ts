import type { Writable } from "node:stream";
import { createGunzip } from "node:zlib";
import { sniff } from "../event/sniff.ts";
import { type ByteSource, ChunkSource, PeekedSource, chunksOf } from "./input-source.ts";
import { zstdContent } from "./input-zstd.ts";

/** Rewrites JSON in any arrangement to one record a line. */
export interface Arrangement {
  push(bytes: Uint8Array): Iterable<Uint8Array>;
  end(): Uint8Array;
}

export interface ContentOptions {
  /** Made when an input turns out to be an array, an envelope such as `{"Records":[…]}`, or pretty-printed. */
  readonly arrange: () => Promise<Arrangement>;
  /** A stream that may stop at any byte: what is there after a while must do to tell its format. */
  readonly live: boolean;
  /** Bytes read and unpacked at once. */
  readonly chunkBytes?: number;
}

const CHUNK_BYTES = 1024 * 1024;
const HEAD_BYTES = 64 * 1024;
const HEAD_WAIT_MS = 50;

/** How an input's bytes are looked at and handled. */
interface Manner {
  readonly headWaitMs: number | undefined;
  readonly chunkBytes: number;
}

export interface Content {
  readonly source: ByteSource;
  /** First bytes of the lines, for telling their format. */
  readonly head: Uint8Array;
}

/** The lines inside an input: unpacked, decoded to UTF-8 and laid out one record a line, whatever came in. */
export async function openContent(raw: ByteSource, options: ContentOptions): Promise<Content> {
  const manner = { headWaitMs: options.live ? HEAD_WAIT_MS : undefined, chunkBytes: options.chunkBytes ?? CHUNK_BYTES };
  const { headWaitMs, chunkBytes } = manner;
  const source = await unpack(new PeekedSource(raw), manner);
  const head = await source.peek(HEAD_BYTES, headWaitMs);
  if (startsWith(head, ARROW_MAGIC) || startsWith(head, ARROW_CONTINUATION)) {
    const { arrowLines } = await import("./input-arrow.ts");
    return await peeked(new ChunkSource(arrowLines(chunksOf(source, chunkBytes))), source, headWaitMs);
  }
  if (isArranged(head) || sniff(head).reframe) {
    return await peeked(new ChunkSource(rearranged(chunksOf(source, chunkBytes), await options.arrange())), source, headWaitMs);
  }
  return { source, head };
}

async function peeked(made: ByteSource, below: ByteSource, headWaitMs: number | undefined): Promise<Content> {
  const source = new PeekedSource({ read: (into, waitMs) => made.read(into, waitMs), close: () => below.close() });
  return { source, head: await source.peek(HEAD_BYTES, headWaitMs) };
}

const GZIP_MAGIC = [0x1f, 0x8b];
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const ARROW_MAGIC = [...new TextEncoder().encode("ARROW1")];
const ARROW_CONTINUATION = [0xff, 0xff, 0xff, 0xff];
const UTF8_MARK = [0xef, 0xbb, 0xbf];
const UTF16_LITTLE_MARK = [0xff, 0xfe];
const UTF16_BIG_MARK = [0xfe, 0xff];

async function unpack(source: PeekedSource, manner: Manner): Promise<PeekedSource> {
  const { chunkBytes } = manner;
  const magic = await source.peek(4, manner.headWaitMs);
  const decoded = (chunks: AsyncIterable<Uint8Array>): PeekedSource => {
    const content = new ChunkSource(chunks);
    return new PeekedSource({ read: (into, waitMs) => content.read(into, waitMs), close: () => source.close() });
  };
  if (startsWith(magic, GZIP_MAGIC)) return await unpack(decoded(gzipContent(chunksOf(source, chunkBytes), chunkBytes)), manner);
  if (startsWith(magic, ZSTD_MAGIC) || isSkippableFrame(magic)) return await unpack(decoded(zstdContent(chunksOf(source, chunkBytes))), manner);
  if (startsWith(magic, ARROW_CONTINUATION)) return source;
  if (startsWith(magic, UTF8_MARK)) source.skip(UTF8_MARK.length);
  else if (startsWith(magic, UTF16_LITTLE_MARK)) return decoded(transcoded(chunksOf(source, chunkBytes), "utf-16le"));
  else if (startsWith(magic, UTF16_BIG_MARK)) return decoded(transcoded(chunksOf(source, chunkBytes), "utf-16be"));
  return source;
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}

function isSkippableFrame(magic: Uint8Array): boolean {
  return magic.length >= 4 && (magic[0]! & 0xf0) === 0x50 && magic[1] === 0x2a && magic[2] === 0x4d && magic[3] === 0x18;
}

/** Content of all members; what was unpacked before a fault is handed on before the fault. */
async function* gzipContent(chunks: AsyncIterable<Uint8Array>, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  const feeding = (async () => {
    try {
      for await (const chunk of chunks) {
        // A copy: the reader's buffer is used again while the decoder still looks at this one.
        if (!gunzip.write(chunk.slice())) await roomIn(gunzip);
        if (gunzip.destroyed) return;
      }
      gunzip.end();
    } catch (error) {
      gunzip.destroy(error as Error);
    }
  })();
  yield* gunzip as AsyncIterable<Uint8Array>;
  await feeding;
}

/** Resolves when a stream takes more, or will take no more at all. */
function roomIn(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}

async function* transcoded(chunks: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding);
  const encoder = new TextEncoder();
  for await (const chunk of chunks) yield encoder.encode(decoder.decode(chunk, { stream: true }));
  yield encoder.encode(decoder.decode());
}

async function* rearranged(chunks: AsyncIterable<Uint8Array>, arrangement: Arrangement): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield* arrangement.push(chunk);
  const rest = arrangement.end();
  if (rest.length) yield rest;
}

/** An envelope whose list of records is longer than the head, so that the head alone is no JSON. */
function isArranged(head: Uint8Array): boolean {
  return /^\s*\{\s*"[Rr]ecords"\s*:\s*\[/.test(new TextDecoder().decode(head.subarray(0, 4096)));
}
