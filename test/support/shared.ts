import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const beside = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "shared");

/** Folder with the recorded logs and vectors; tests that read it skip where it is absent. */
export const sharedFolder = process.env.VESPID_SHARED ?? beside;

export function hasShared(path: string): boolean {
  return existsSync(join(sharedFolder, path));
}

export function readShared(path: string): Uint8Array {
  const bytes = readFileSync(join(sharedFolder, path));
  return path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

export function readSharedJson<T>(path: string): T {
  return JSON.parse(new TextDecoder().decode(readShared(path))) as T;
}
