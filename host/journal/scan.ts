import { open, type FileHandle } from "node:fs/promises";
import type { Damage } from "./contract.ts";
import { FRAME_HEAD_BYTES, frameMark, payloadIsWhole, readHead, type FrameHead } from "./frame.ts";
import { SEGMENT_HEAD_BYTES, readSegmentHead, type SegmentHead } from "./segment.ts";

const CHUNK_BYTES = 512 * 1024;

/** Bytes of a file up to an end, read in chunks. What was handed out stays valid: no chunk is read into twice. */
class FileBytes {
  readonly end: number;
  readonly #handle: FileHandle;
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(handle: FileHandle, end: number) {
    this.#handle = handle;
    this.end = end;
  }

  /** `length` bytes at `at`, fewer where the file ends. */
  async view(at: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.end - at));
    if (at < this.#start || at + wanted > this.#start + this.#chunk.length) {
      const chunk = Buffer.allocUnsafeSlow(Math.max(0, Math.min(Math.max(wanted, CHUNK_BYTES), this.end - at)));
      let have = 0;
      while (have < chunk.length) {
        const { bytesRead } = await this.#handle.read(chunk, have, chunk.length - have, at + have);
        if (bytesRead === 0) break;
        have += bytesRead;
      }
      this.#chunk = chunk.subarray(0, have);
      this.#start = at;
    }
    return this.#chunk.subarray(at - this.#start, at - this.#start + wanted);
  }
}

export type Scanned =
  /** `stored` is undefined for a frame that was not wanted: only its head was looked at. */
  | { readonly kind: "frame"; readonly offset: number; readonly head: FrameHead; readonly stored: Buffer | undefined }
  | { readonly kind: "damage"; readonly damage: Damage };

export interface ScanOptions {
  /** Where to begin: the start of a frame, and the entries before it. */
  readonly from?: { readonly offset: number; readonly entry: number };
  /** Where the file is taken to end; its length when absent. */
  readonly end?: number;
  /** Whether to read a frame's payload; all of them when absent. */
  readonly want?: (head: FrameHead) => boolean;
}

export interface OpenSegment {
  readonly head: SegmentHead;
  readonly bytes: number;
  scan(options?: ScanOptions): AsyncGenerator<Scanned>;
  close(): Promise<void>;
}

/** Rejects as `open` does when there is no such file. */
export async function openSegment(path: string, segment: number): Promise<OpenSegment> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const head = readSegmentHead(await new FileBytes(handle, size).view(0, SEGMENT_HEAD_BYTES), segment);
    return {
      head,
      bytes: size,
      scan: (options = {}) => scan(new FileBytes(handle, options.end ?? size), segment, head, options),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Every readable frame in order, and what lies between them. After a fault the next head is looked for byte by byte, in the
 * payload of the faulty frame too: where bytes are missing its length leads astray.
 */
async function* scan(file: FileBytes, segment: number, segmentHead: SegmentHead, options: ScanOptions): AsyncGenerator<Scanned> {
  if (segmentHead.kind !== "good") {
    if (file.end > 0) yield { kind: "damage", damage: { segment, offset: 0, bytes: file.end, reason: file.end < SEGMENT_HEAD_BYTES ? "short" : "head", entries: undefined } };
    return;
  }
  if (segmentHead.damagedCopy && !options.from) yield { kind: "damage", damage: { segment, offset: 0, bytes: SEGMENT_HEAD_BYTES, reason: "head", entries: 0 } };
  const mark = frameMark(segmentHead.salt);
  let at = options.from?.offset ?? SEGMENT_HEAD_BYTES;
  let entry = options.from?.entry ?? 0;
  /** The fault being passed over. */
  let fault: { offset: number; reason: Damage["reason"]; head: FrameHead | undefined } | undefined;

  while (at < file.end) {
    const head = readHead(await file.view(at, FRAME_HEAD_BYTES), mark, segment);
    const next = head ? at + FRAME_HEAD_BYTES + head.storedBytes : at;
    let reason: Damage["reason"] | undefined;
    let stored: Buffer | undefined;
    if (!head) reason = file.end - at < FRAME_HEAD_BYTES ? "short" : "head";
    else if (next > file.end) reason = "short";
    else if (head.firstEntry < entry) reason = "order";
    else if (!options.want || options.want(head)) {
      stored = await file.view(at + FRAME_HEAD_BYTES, head.storedBytes);
      if (!payloadIsWhole(head, stored)) reason = "payload";
    }
    if (!head || reason) {
      fault ??= { offset: at, reason: reason!, head };
      at = await nextMark(file, mark, at + 1);
      continue;
    }
    if (fault || head.firstEntry > entry) {
      const offset = fault?.offset ?? at;
      yield { kind: "damage", damage: { segment, offset, bytes: at - offset, reason: fault?.reason ?? "order", entries: head.firstEntry - entry } };
      fault = undefined;
    }
    yield { kind: "frame", offset: at, head, stored };
    entry = head.firstEntry + head.entries;
    at = next;
  }
  // At the end nothing follows that would tell what is missing, but a head that could be read does.
  if (fault) {
    const { offset, reason, head } = fault;
    yield { kind: "damage", damage: { segment, offset, bytes: file.end - offset, reason, entries: head && reason !== "order" ? head.firstEntry + head.entries - entry : undefined } };
  }
}

async function nextMark(file: FileBytes, mark: Buffer, from: number): Promise<number> {
  for (let at = from; at < file.end;) {
    const chunk = await file.view(at, CHUNK_BYTES);
    const found = chunk.indexOf(mark);
    if (found >= 0) return at + found;
    if (chunk.length < mark.length) break;
    // The mark may begin in this chunk and end in the next.
    at += chunk.length - mark.length + 1;
  }
  return file.end;
}
