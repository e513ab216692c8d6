const PAGE_BYTES = 64 * 1024;
const known = new WeakSet<ArrayBufferLike>();

/** Memory that begins where a page of the system does: disks can be told to fetch bytes from there themselves. Untouched pages cost nothing. */
export function pageMemory(bytes: number): Buffer {
  const { buffer } = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });
  known.add(buffer);
  return Buffer.from(buffer, 0, bytes);
}

/** Bytes from the beginning of a page to these; undefined where that is not known. */
export function placeInPage({ buffer, byteOffset }: Uint8Array): number | undefined {
  return known.has(buffer) ? byteOffset : undefined;
}
