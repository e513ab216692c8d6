/** How a text is scanned for literals of a length: grams of `width` bytes, looked at every `stride` bytes. */
export interface Scan {
  readonly width: number;
  readonly stride: number;
}

/** From coarse to fine; a literal needs a gram at each of `stride` neighbouring places, so that one of them is looked at. */
const scans: readonly Scan[] = [
  { width: 4, stride: 4 },
  { width: 3, stride: 3 },
  { width: 3, stride: 2 },
  { width: 3, stride: 1 },
  { width: 2, stride: 1 },
  { width: 1, stride: 1 },
];
/** Up to so many literals ride along in a finer pass that is made anyway; more would answer too often to its shorter grams. */
const RIDERS = 48;
/** So many literals may share a gram: where it occurs, all of them are looked at. Fewer cost less than another pass. */
const CROWD = 64;

/**
 * The passes over a text that find all literals, each in the coarsest that can.
 *
 * Literals that many others share a gram with, as users numbered from one on do, go to a finer pass: it needs fewer of their grams.
 */
export function scanPasses<T>(literals: readonly T[], bytesOf: (literal: T) => Uint8Array): Array<{ readonly scan: Scan; readonly list: T[] }> {
  const passes = scans.map((scan) => ({ scan, list: [] as T[] }));
  for (const literal of literals) {
    const fit = passes.find(({ scan }) => bytesOf(literal).length >= scan.stride + scan.width - 1);
    fit?.list.push(literal);
  }
  for (let i = 0; i + 1 < passes.length; i++) {
    const pass = passes[i]!;
    const next = passes[i + 1]!;
    if (pass.list.length <= CROWD || next.scan.width < 3) continue;
    const places = new RarePlaces(pass.list.map(bytesOf), pass.scan);
    const stay: T[] = [];
    for (const literal of pass.list) (places.crowdOf(bytesOf(literal)) > CROWD ? next.list : stay).push(literal);
    pass.list = stay;
  }
  for (let i = 0; i + 1 < passes.length; i++) {
    const finer = passes.slice(i + 1).find(({ scan, list }) => list.length > 0 && scan.width >= 3);
    const { list } = passes[i]!;
    if (finer && list.length <= RIDERS) finer.list.push(...list.splice(0));
  }
  return passes.filter(({ list }) => list.length > 0);
}

/** The gram at a place as the kernel sees it: bit 5 of every byte set, so that capitals and small letters look alike. */
export function gramAt(bytes: Uint8Array, place: number, width: number): number {
  let gram = 0;
  for (let i = 0; i < width; i++) gram |= (bytes[place + i]! | 0x20) << (i * 8);
  return gram >>> 0;
}

/** Mask of a gram's bytes. */
export function gramMask(width: number): number {
  return width === 4 ? 0xffffffff : (1 << (width * 8)) - 1;
}

const common = new Set(new TextEncoder().encode("etaoinsrlhdc /.:-_0123456789"));

/** Chooses for each literal of a scan the place whose grams are the fewest others' and look rarest in logs. */
export class RarePlaces {
  readonly #scan: Scan;
  readonly #counts = new Map<number, number>();

  constructor(literals: readonly Uint8Array[], scan: Scan) {
    this.#scan = scan;
    for (const bytes of literals) {
      for (let place = 0; place + scan.width <= bytes.length; place++) {
        const gram = gramAt(bytes, place, scan.width);
        this.#counts.set(gram, (this.#counts.get(gram) ?? 0) + 1);
      }
    }
  }

  /** How many literals share the commonest of the grams a literal is found by. */
  crowdOf(bytes: Uint8Array): number {
    const { width, stride } = this.#scan;
    const place = this.of(bytes);
    return Math.max(...Array.from({ length: stride }, (_, i) => this.#counts.get(gramAt(bytes, place + i, width))!));
  }

  of(bytes: Uint8Array): number {
    const { width, stride } = this.#scan;
    let best = 0;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let place = 0; place + stride + width - 1 <= bytes.length; place++) {
      let cost = 0;
      for (let i = 0; i < stride; i++) {
        cost += this.#counts.get(gramAt(bytes, place + i, width))!;
        for (let b = 0; b < width; b++) if (common.has(bytes[place + i + b]! | 0x20)) cost += 1;
      }
      if (cost < bestCost) {
        best = place;
        bestCost = cost;
      }
    }
    return best;
  }
}
