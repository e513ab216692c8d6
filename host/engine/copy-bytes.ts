/**
 * Copies bytes as fast as memory takes them, wherever they lie.
 *
 * `set` goes word by word where one side is shared memory, at a fifth of the speed when both are not aligned alike; so does Buffer's
 * `copy` when it is given the whole of a buffer, but not when it is given a part.
 */
export function copyBytes(from: Uint8Array, to: Uint8Array, at: number): void {
  if (from.byteOffset === 0) to.set(from, at);
  else Buffer.from(from.buffer).copy(to, at, from.byteOffset, from.byteOffset + from.byteLength);
}

/** The parts one behind the other. @param sizeBytes of all of them */
export function joinBytes(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
