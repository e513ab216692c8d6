import { relieve } from "./evict";
import { takePiece } from "./slab";

let held = false;

/** While held, no group is given up: somebody walks over them. */
export function hold(on: bool): void {
  held = on;
}

/** Groups give way unless somebody walks over them; true when some did. */
export function makeWay(): bool {
  return !held && relieve();
}

/** A piece of memory, made free by giving up groups where it must be; 0 when even that does not help. */
export function pieceFor(bytes: usize): usize {
  const piece = takePiece(bytes);
  if (piece || held) return piece;
  // Pieces given up are of other sizes: some tries may be needed until a page or a block of them is whole.
  for (let tries = 0; tries < 64; tries++) {
    if (!relieve()) return 0;
    const relieved = takePiece(bytes);
    if (relieved) return relieved;
  }
  return 0;
}
