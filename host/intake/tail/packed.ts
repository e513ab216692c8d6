import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { FollowedPath } from "./followed-path.ts";

/** Names of packed files. They do not grow, and are read only where files are read once. */
export function isPacked(path: string): boolean {
  return /\.(?:gz|zst|bz2|xz|zip)$/i.test(path);
}

/**
 * Reads a gzip or zstd file to its end, from the place reached before: offsets are those of the unpacked bytes.
 *
 * @returns false when the sink took no more.
 */
export async function readPacked(followed: FollowedPath, buffer: Uint8Array<ArrayBuffer>, arrivalMs: number): Promise<boolean> {
  const { path } = followed;
  if (!/\.(?:gz|zst)$/i.test(path)) {
    followed.problem = "packed in a way that is not read; gzip and zstd are";
    return true;
  }
  const at = followed.present();
  if (!at || at.isDone) return true;
  let skip = at.offset;
  let filled = 0;
  let isTaken = true;
  const hand = async (isLast: boolean): Promise<void> => {
    const before = at.offset;
    const isFull = filled === buffer.length;
    const newline = buffer.indexOf(10);
    const firstLine = before > 0 || newline < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, Math.min(newline, 2048)));
    isTaken = await followed.take(at, buffer.subarray(0, filled), { isLast, isQuiet: isLast, isFull }, arrivalMs, { isUtf16: false, firstLine });
    const moved = at.offset - before;
    buffer.copyWithin(0, moved, filled);
    filled -= moved;
  };
  try {
    await pipeline(createReadStream(path), path.toLowerCase().endsWith(".gz") ? createGunzip({ chunkSize: 256 * 1024 }) : createZstdDecompress({ chunkSize: 256 * 1024 }), async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) {
        let used = Math.min(skip, chunk.length);
        skip -= used;
        while (used < chunk.length && isTaken) {
          const part = chunk.subarray(used, used + buffer.length - filled);
          buffer.set(part, filled);
          filled += part.length;
          used += part.length;
          if (filled === buffer.length) await hand(false);
        }
        if (!isTaken) return;
      }
    });
  } catch (error) {
    // What could be unpacked was good; the rest is not.
    followed.problem = (error as Error).message;
  }
  while (filled > 0 && isTaken) await hand(true);
  at.isDone = isTaken;
  return isTaken;
}
