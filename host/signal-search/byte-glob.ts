import type { GlobItem } from "../query/tree.ts";

const ANY = -1;
const ONE = -2;

/** A wildcard pattern over UTF-8. */
export interface ByteGlob {
  /** Bytes to be found, or one of the two signs. */
  readonly pieces: Int16Array;
  /** Bytes that every match begins with; none when it begins with a sign. */
  readonly prefix: Uint8Array;
  /** The longest run of bytes that every match holds. */
  readonly longest: Uint8Array;
}

export function byteGlob(items: readonly GlobItem[]): ByteGlob {
  const pieces: number[] = [];
  let longest: Uint8Array = new Uint8Array(0);
  for (const item of items) {
    if (item.kind !== "text") {
      pieces.push(item.kind === "any" ? ANY : ONE);
      continue;
    }
    const bytes = Buffer.from(item.text);
    for (const byte of bytes) pieces.push(byte);
    if (bytes.length > longest.length) longest = bytes;
  }
  const first = items[0];
  return { pieces: Int16Array.from(pieces), prefix: first?.kind === "text" ? Buffer.from(first.text) : new Uint8Array(0), longest };
}

/** Does the pattern cover the bytes from `start` to `end`? Takes pattern times bytes at most, whatever either holds. */
export function globBytes({ pieces }: ByteGlob, bytes: Uint8Array, start: number, end: number): boolean {
  let piece = 0;
  let at = start;
  let starPiece = -1;
  let starAt = start;
  while (at < end) {
    const wanted = piece < pieces.length ? pieces[piece]! : -3;
    if (wanted === ANY) {
      starPiece = piece++;
      starAt = at;
    } else if (wanted === ONE) {
      at = afterCharacter(bytes, at, end);
      piece++;
    } else if (wanted === bytes[at]) {
      at++;
      piece++;
    } else {
      if (starPiece < 0) return false;
      at = starAt = afterCharacter(bytes, starAt, end);
      piece = starPiece + 1;
    }
  }
  while (piece < pieces.length && pieces[piece] === ANY) piece++;
  return piece === pieces.length;
}

function afterCharacter(bytes: Uint8Array, at: number, end: number): number {
  let next = at + 1;
  while (next < end && (bytes[next]! & 0xc0) === 0x80) next++;
  return next;
}
