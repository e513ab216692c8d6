import { type FileHandle, constants, open, rename, statfs, unlink } from "node:fs/promises";
import { placeInPage } from "../engine/page-memory.ts";

/** A file being written. Every call rejects with what the operating system said. */
export interface DiskFile {
  /** All of `bytes` at `at`; how much was written when it rejects is unknown. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  /** Resolves when bytes and length are on the disk itself. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** What the journal does to a disk: the seam where tests make one that fails, or loses what was not synced. */
export interface Disk {
  /** A new file; rejects when there is one. */
  create(path: string): Promise<DiskFile>;
  open(path: string): Promise<DiskFile>;
  /** Names in the folder are on the disk itself. */
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Bytes this process may still use. */
  freeBytes(folder: string): Promise<number>;
}

/** What is written past the system's cache begins and ends at such a place, on disk as in memory: no disk's blocks are larger. */
export const BLOCK_BYTES = 4096;
/** Less is faster through the cache. */
export const DIRECT_FROM = 64 * 1024;

/** The whole blocks among bytes to be written at `at`: [from, to) of them. Undefined where the system could not take them as they lie in memory. */
export function wholeBlocks(bytes: Uint8Array, at: number): readonly [from: number, to: number] | undefined {
  const place = placeInPage(bytes);
  if (place === undefined || (place - at) % BLOCK_BYTES !== 0) return undefined;
  const from = (BLOCK_BYTES - (at % BLOCK_BYTES)) % BLOCK_BYTES;
  const to = bytes.length - ((at + bytes.length) % BLOCK_BYTES);
  return to - from >= DIRECT_FROM ? [from, to] : undefined;
}

async function file(path: string, flags: number): Promise<DiskFile> {
  const handle = await open(path, flags, 0o640);
  /** The same file past the cache; null where the system has no such thing. */
  let direct: FileHandle | null | undefined;

  async function writeCached(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
  }

  /** The disk fetches whole blocks from where they lie: the copy, and the pages it is made into, cost more than all else of a write. @returns how many bytes it took. */
  async function writeDirect(bytes: Uint8Array, at: number): Promise<number> {
    if (direct === undefined) direct = constants.O_DIRECT === undefined ? null : await open(path, constants.O_RDWR | constants.O_DIRECT).catch(() => null);
    if (!direct) return 0;
    try {
      return (await direct.write(bytes, 0, bytes.length, at)).bytesWritten;
    } catch (error) {
      // Some systems say only now that they cannot.
      if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
      await direct.close();
      direct = null;
      return 0;
    }
  }

  return {
    async write(bytes, at) {
      const blocks = direct === null ? undefined : wholeBlocks(bytes, at);
      if (!blocks) return await writeCached(bytes, at);
      const [from, to] = blocks;
      await writeCached(bytes.subarray(0, from), at);
      const done = from + (await writeDirect(bytes.subarray(from, to), at + from));
      await writeCached(bytes.subarray(done), at + done);
    },
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    async close() {
      await direct?.close();
      await handle.close();
    },
  };
}

export const realDisk: Disk = {
  create: (path) => file(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL),
  open: (path) => file(path, constants.O_RDWR),
  async syncFolder(path) {
    // Windows opens no folders, and keeps names without being asked.
    if (process.platform === "win32") return;
    const handle = await open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename,
  remove: unlink,
  async freeBytes(folder) {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
};
