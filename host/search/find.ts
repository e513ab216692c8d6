import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { writeAtomically } from "../atomic-file.ts";
import { segmentPath } from "../journal/segment.ts";

/** A few megabytes of a segment, and what there is to find in them. Times are event times, whole milliseconds. */
export interface Stretch {
  /** Where its first frame begins, and the entries of the segment before it. */
  readonly offset: number;
  readonly entry: number;
  readonly endOffset: number;
  readonly endEntry: number;
  /** As they came, unpacked. */
  readonly rawBytes: number;
  readonly events: number;
  /** Of its events; `minMs` is above `maxMs` when there is none. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Undefined when there are too many to keep. */
  readonly sources: readonly string[] | undefined;
  /** Undefined when its words cannot be told. */
  readonly fingerprint: Buffer | undefined;
}

/** Stretches of a segment from its beginning up to an offset. More may follow there: the segment may grow. */
export interface Find {
  readonly segment: number;
  /** What events were made by; others may be what they are not. */
  readonly made: string;
  readonly endOffset: number;
  readonly endEntry: number;
  /** Where the last frame within begins, and its checksum: that the segment is still the one that was read. */
  readonly lastFrame: { readonly offset: number; readonly crc: number } | undefined;
  readonly stretches: readonly Stretch[];
}

/**
 * The file beside a segment: magic and version, checksum of all that follows, length of the head, the head as JSON, fingerprints.
 * All of it can be made anew from the segment.
 */
const MAGIC = Buffer.from("VJFD\x01\0\0\0");
const HEAD_AT = 16;

export function findPath(folder: string, segment: number): string {
  return segmentPath(folder, segment).replace(/\.journal$/, ".find");
}

export function writeFind(folder: string, find: Find): void {
  const fingerprints = find.stretches.map((stretch) => stretch.fingerprint ?? Buffer.alloc(0));
  const { stretches, ...rest } = find;
  const head = Buffer.from(JSON.stringify({ ...rest, stretches: stretches.map(({ fingerprint, ...stretch }) => ({ ...stretch, sources: stretch.sources ?? null, fingerprint: fingerprint?.length ?? null })) }));
  const body = Buffer.concat([Buffer.alloc(HEAD_AT), head, ...fingerprints]);
  MAGIC.copy(body, 0);
  body.writeUInt32LE(head.length, 12);
  body.writeUInt32LE(crc32(body.subarray(12)), 8);
  writeAtomically(findPath(folder, find.segment), body);
}

/** Undefined when it is missing, damaged, or of another version or segment. */
export function readFind(folder: string, segment: number): Find | undefined {
  let body: Buffer;
  try {
    body = readFileSync(findPath(folder, segment));
  } catch {
    return undefined;
  }
  if (body.length < HEAD_AT || !body.subarray(0, MAGIC.length).equals(MAGIC) || body.readUInt32LE(8) !== crc32(body.subarray(12))) return undefined;
  let at = HEAD_AT + body.readUInt32LE(12);
  // The checksum says that it is ours, as it was written.
  const { stretches, ...rest } = JSON.parse(body.toString("utf8", HEAD_AT, at)) as Omit<Find, "stretches"> & { stretches: WrittenStretch[] };
  if (rest.segment !== segment) return undefined;
  return {
    ...rest,
    stretches: stretches.map(({ fingerprint, sources, ...stretch }) => ({
      ...stretch,
      sources: sources ?? undefined,
      fingerprint: fingerprint === null ? undefined : body.subarray(at, (at += fingerprint)),
    })),
  };
}

type WrittenStretch = Omit<Stretch, "sources" | "fingerprint"> & { readonly sources: readonly string[] | null; readonly fingerprint: number | null };
