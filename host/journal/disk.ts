import { constants, open, rename, statfs, unlink } from "node:fs/promises";

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

async function file(path: string, flags: number): Promise<DiskFile> {
  const handle = await open(path, flags, 0o640);
  return {
    async write(bytes, at) {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
        done += bytesWritten;
      }
    },
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
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
