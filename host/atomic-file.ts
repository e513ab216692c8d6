import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Puts bytes in a file's place at one stroke: whoever looks, after a crash too, finds the old ones or the new, whole.
 *
 * Throws what the file system throws; the old file is then as it was.
 */
export function writeAtomically(path: string, bytes: Uint8Array): void {
  const beside = `${path}.part`;
  try {
    const file = openSync(beside, "w", 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Where folders can be synced, the new name outlives a crash of the machine as well. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
