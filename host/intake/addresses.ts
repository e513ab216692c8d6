import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";

/** Addresses that are known at a time; those that were silent longest go first. */
const MOST_ADDRESSES = 10_000;
/** Good keys that are known of one address. */
const MOST_KEYS = 16;

/** Who stands behind an address: of IPv6 a whole /64, which is what one sender has. */
export function senderOf(address: string): string {
  const plain = address.replace(/^::ffff:/, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("%", 1)[0]!.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const all = tail === undefined ? before : [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0"), ...after];
  return `${all.slice(0, 4).join(":")}::/64`;
}

/** Counts what is open at a time, by sender. */
export class OpenConnections {
  readonly #most: number;
  readonly #open = new Map<string, number>();

  constructor(mostOfOne: number) {
    this.#most = mostOfOne;
  }

  /** Senders with something open. */
  get senders(): number {
    return this.#open.size;
  }

  /** Undefined where there are enough already; else to be called once it is closed. */
  open(address: string | undefined): (() => void) | undefined {
    const sender = senderOf(address ?? "");
    const count = this.#open.get(sender) ?? 0;
    if (count >= this.#most) return undefined;
    this.#open.set(sender, count + 1);
    return () => {
      const left = this.#open.get(sender)! - 1;
      if (left > 0) this.#open.set(sender, left);
      else this.#open.delete(sender);
    };
  }
}

interface Tries {
  wrong: number;
  sinceMs: number;
  /** 0: it is not blocked. */
  untilMs: number;
  readonly good: Set<string>;
}

/**
 * Wrong keys by sender. After too many within the waiting time, no key of that sender is looked at for as long, but for those that
 * were good while it was watched: others behind the same address go on, and whoever guesses does not hear that he was right.
 */
export class WrongKeys {
  readonly #most: number;
  readonly #waitMs: number;
  readonly #tries = new Map<string, Tries>();

  constructor(most: number, waitMs: number) {
    this.#most = most;
    this.#waitMs = waitMs;
  }

  /** Senders that wait. */
  blocked(nowMs: number): number {
    let count = 0;
    for (const { untilMs } of this.#tries.values()) if (untilMs > nowMs) count++;
    return count;
  }

  /** Seconds for which this key is not looked at; 0 when it may be. */
  waitS(address: string, key: string, nowMs: number): number {
    if (this.#tries.size === 0) return 0;
    const tries = this.#tries.get(senderOf(address));
    if (!tries || tries.untilMs <= nowMs || tries.good.has(hashOf(key))) return 0;
    return Math.max(1, Math.ceil((tries.untilMs - nowMs) / 1000));
  }

  wasGood(address: string, key: string): void {
    if (this.#tries.size === 0) return;
    const good = this.#tries.get(senderOf(address))?.good;
    if (good && good.size < MOST_KEYS) good.add(hashOf(key));
  }

  wasWrong(address: string, nowMs: number): void {
    const sender = senderOf(address);
    const known = this.#tries.get(sender);
    const isFresh = known === undefined || nowMs - known.sinceMs >= this.#waitMs || nowMs < known.sinceMs;
    const tries: Tries = isFresh ? { wrong: 0, sinceMs: nowMs, untilMs: 0, good: known?.good ?? new Set() } : known;
    this.#tries.delete(sender);
    this.#tries.set(sender, tries);
    if (++tries.wrong >= this.#most) {
      tries.untilMs = nowMs + this.#waitMs;
      tries.wrong = 0;
      tries.sinceMs = nowMs;
    }
    if (this.#tries.size > MOST_ADDRESSES) this.#tries.delete(this.#tries.keys().next().value!);
  }
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("base64");
}
