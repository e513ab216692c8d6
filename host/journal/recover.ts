import { existsSync } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import type { Damage, Recovery } from "./contract.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { JournalError } from "./error.ts";
import { FRAME_HEAD_BYTES, unpackEntries } from "./frame.ts";
import { openSegment, type OpenSegment } from "./scan.ts";
import { IndexBuilder, readIndex, writeIndex, type SegmentIndex } from "./segment-index.ts";
import { SEGMENT_HEAD_BYTES, listFolder, segmentPath, writeSegmentHead } from "./segment.ts";
import { SegmentWriter } from "./segment-writer.ts";

const COPY_BYTES = 1024 * 1024;

export interface Recovered {
  /** Segments nothing is added to any more, ascending. */
  readonly sealed: readonly SegmentIndex[];
  /** The last one, when its end is sound. */
  readonly active: SegmentWriter | undefined;
  /** Above every number ever used here, as far as the folder tells. */
  readonly nextSegment: number;
  readonly report: Recovery;
}

/** Looks at what an earlier process left, and brings its end in order. */
export async function recover(folder: string, disk: Disk): Promise<Recovered> {
  const { segments, highest } = listFolder(folder);
  const sealed: SegmentIndex[] = [];
  for (const segment of segments.slice(0, -1)) sealed.push(readIndex(segmentPath(folder, segment, "index"), segment) ?? (await rebuilt(folder, segment)));
  const nothing: Recovery = { segments: segments.length, scannedBytes: 0, tornBytes: 0, tornFile: undefined, damage: [] };
  const last = segments.at(-1);
  if (last === undefined) return { sealed, active: undefined, nextSegment: highest + 1, report: nothing };

  const path = segmentPath(folder, last);
  const file = await openSegment(path, last);
  let scanned: ScannedSegment;
  let salt: Uint8Array | undefined;
  try {
    salt = ownHead(file, path);
    scanned = await scanSegment(file, last);
  } finally {
    await file.close();
  }
  const { index, damage } = scanned;
  const report = { ...nothing, scannedBytes: file.bytes, damage };
  const torn = damage.find((each) => each.bytes > 0 && each.offset + each.bytes === file.bytes && each.offset > 0);

  if (!salt) {
    // Without its head none of its frames can be told from what a log might say. A process killed while it made the file
    // leaves it so, with nothing in it.
    const tornFile = await freeName(segmentPath(folder, last, "torn"));
    await disk.rename(path, tornFile);
    await disk.syncFolder(folder);
    return { sealed, active: undefined, nextSegment: highest + 1, report: { ...report, tornBytes: file.bytes, tornFile: file.bytes ? tornFile : undefined } };
  }
  // An index from before would tell of an end that is about to move.
  await unlink(segmentPath(folder, last, "index")).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  const writable = await disk.open(path);
  try {
    // Frames that were written and never synced are whole as long as the machine runs. From here on they count, so they
    // have to be on the disk itself.
    // A process killed while it wrote the head leaves one copy of two, and no scan shall call that a fault for ever.
    if (file.head.kind === "good" && file.head.damagedCopy) await writable.write(writeSegmentHead(last, salt), 0);
    await writable.sync();
    await disk.syncFolder(folder);
    if (torn) {
      // What is added next gets a new segment: the places of what may have been here are not given again.
      const tornFile = await setAside(folder, disk, writable, torn);
      await writable.close();
      sealed.push(index);
      return { sealed, active: undefined, nextSegment: highest + 1, report: { ...report, tornBytes: torn.bytes, tornFile } };
    }
  } catch (error) {
    await writable.close().catch(() => {});
    throw error;
  }
  return { sealed, active: new SegmentWriter(writable, salt, index), nextSegment: highest + 1, report };
}

export interface ScannedSegment {
  readonly index: IndexBuilder;
  readonly damage: readonly Damage[];
}

/** Reads a segment up to an end, by default the file's: what is in it, and what cannot be read. */
export async function scanSegment(file: OpenSegment, segment: number, end?: number): Promise<ScannedSegment> {
  const index = new IndexBuilder(segment, SEGMENT_HEAD_BYTES);
  const damage: Damage[] = [];
  for await (const found of file.scan({ end })) {
    if (found.kind === "damage") damage.push(found.damage);
    else index.add(found.offset, FRAME_HEAD_BYTES + found.head.storedBytes, found.head, await unpackEntries(found.head, found.stored!));
  }
  return { index, damage };
}

/** The salt; undefined when the head is damaged. Throws when a newer version wrote it. */
function ownHead(file: OpenSegment, path: string): Uint8Array | undefined {
  if (file.head.kind === "foreign") {
    throw new JournalError("journal/unreadable", `${path} has format version ${file.head.version}, which this version does not know`, "run the version that wrote it, or give this one a folder of its own");
  }
  return file.head.kind === "good" ? file.head.salt : undefined;
}

async function rebuilt(folder: string, segment: number): Promise<SegmentIndex> {
  const path = segmentPath(folder, segment);
  const file = await openSegment(path, segment);
  try {
    ownHead(file, path);
    const { index } = await scanSegment(file, segment);
    await storeIndex(folder, index).catch(() => {}); // it is made again next time
    return index;
  } finally {
    await file.close();
  }
}

/** Whole or not at all; not synced, as it can be made anew. */
export async function storeIndex(folder: string, index: SegmentIndex): Promise<void> {
  const path = segmentPath(folder, index.segment, "index");
  const handle = await open(`${path}.new`, "w", 0o640);
  try {
    await handle.writeFile(writeIndex(index));
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
}

/** Copies the torn end to a file of its own and cuts it off. Where there is no room for the copy, nothing is cut: undefined. */
async function setAside(folder: string, disk: Disk, file: DiskFile, torn: Damage): Promise<string | undefined> {
  const path = await freeName(segmentPath(folder, torn.segment, "torn"));
  const source = await open(segmentPath(folder, torn.segment), "r");
  try {
    const copy = await disk.create(path);
    try {
      for (let at = 0; at < torn.bytes; at += COPY_BYTES) {
        const bytes = Buffer.allocUnsafe(Math.min(COPY_BYTES, torn.bytes - at));
        const { bytesRead } = await source.read(bytes, 0, bytes.length, torn.offset + at);
        await copy.write(bytes.subarray(0, bytesRead), at);
      }
      await copy.sync();
    } finally {
      await copy.close();
    }
    await disk.syncFolder(folder);
  } catch {
    await disk.remove(path).catch(() => {});
    return undefined;
  } finally {
    await source.close();
  }
  await file.truncate(torn.offset);
  await file.sync();
  return path;
}

async function freeName(path: string): Promise<string> {
  let name = path;
  for (let i = 1; existsSync(name); i++) name = `${path}-${i}`;
  return name;
}
