const ROUNDS = 8;
const RESULT_CAP = 8192;
const DOLLAR = 36;
const COLON = 58;
const MINUS = 45;
const OPEN = 123;
const CLOSE = 125;
const LOWER = "lower:";
const UPPER = "upper:";
const schemes = ["ldap:", "ldaps:", "rmi:", "dns:", "iiop:", "corba:", "nis:", "nds:", "http:", "https:"].map((scheme) => `jndi:${scheme}`);

/** A brace that is open. */
interface Frame {
  /** Where it stands on the tape, `$` included. */
  readonly start: number;
  readonly isLookup: boolean;
  /** Rounds that were needed for what it holds so far. */
  rounds: number;
  /** Holds braces that stay, hence stays itself. */
  isFixed: boolean;
}

/**
 * Does the text hold a JNDI lookup, once up to eight rounds have unwrapped `${lower:x}`, `${upper:x}` and `${...:-x}`?
 *
 * All rounds in one pass: the text is copied to a tape, and a lookup that closes is put back as what it stands for. A lookup
 * within another took a round before it, so the rounds are depths. Linear: what is unwrapped moves once a depth, and no
 * lookup longer than 8 KiB when unwrapped is.
 */
export function holdsJndiLookup(text: string): boolean {
  const first = text.indexOf("${");
  if (first < 0) return false;
  // A dollar before it comes to stand beside what follows where the lookup becomes nothing.
  const from = Math.max(0, first - 1);
  const tape = new Tape(text, from);
  for (let at = from; at < text.length; at++) {
    if (tape.push(text.charCodeAt(at))) return true;
  }
  return tape.isJndiLeftOpen();
}

class Tape {
  #units: Uint16Array;
  /** By character, the round after which what follows stood beside it. */
  #rounds: Uint8Array;
  #length = 0;
  readonly #frames: Frame[] = [];

  constructor(text: string, from: number) {
    this.#units = new Uint16Array(text.length - from);
    this.#rounds = new Uint8Array(this.#units.length);
  }

  /** Takes a character in; true when it closes a JNDI lookup. */
  push(unit: number): boolean {
    if (unit === OPEN) {
      const isLookup = this.#length > 0 && this.#units[this.#length - 1] === DOLLAR;
      this.#frames.push({ start: this.#length - (isLookup ? 1 : 0), isLookup, rounds: isLookup ? this.#rounds[this.#length - 1]! : 0, isFixed: false });
    }
    this.#put(unit);
    if (unit !== CLOSE) return false;
    const frame = this.#frames.pop();
    if (!frame) return false;
    if (frame.isLookup && this.#isJndi(frame.start + 2)) return true;
    if (!frame.isFixed && frame.isLookup && frame.rounds < ROUNDS && this.#unwrap(frame)) return false;
    const outer = this.#frames.at(-1);
    if (outer) outer.isFixed = true;
    return false;
  }

  isJndiLeftOpen(): boolean {
    return this.#frames.some((frame) => frame.isLookup && this.#isJndi(frame.start + 2));
  }

  /** The tape ends with the lookup. */
  #unwrap(frame: Frame): boolean {
    const inside = frame.start + 2;
    const end = this.#length - 1;
    const isLower = this.#isWord(inside, LOWER);
    if (isLower || this.#isWord(inside, UPPER)) {
      if (end - inside - LOWER.length > RESULT_CAP) return false;
      const text = String.fromCharCode(...this.#units.subarray(inside + LOWER.length, end));
      const cased = isLower ? text.toLowerCase() : text.toUpperCase();
      if (cased.length > RESULT_CAP) return false;
      this.#length = frame.start;
      for (let i = 0; i < cased.length; i++) this.#put(cased.charCodeAt(i));
      this.#settle(frame);
      return true;
    }
    for (let at = inside; at + 1 < end; at++) {
      if (this.#units[at] !== COLON || this.#units[at + 1] !== MINUS) continue;
      const length = end - at - 2;
      if (length > RESULT_CAP) return false;
      this.#units.copyWithin(frame.start, at + 2, end);
      this.#length = frame.start + length;
      this.#settle(frame);
      return true;
    }
    return false;
  }

  #settle(frame: Frame): void {
    const rounds = frame.rounds + 1;
    const last = this.#length - 1;
    // What became nothing leaves its neighbours beside each other, but not before either was there.
    if (this.#length > frame.start) this.#rounds[last] = rounds;
    else if (last >= 0) this.#rounds[last] = Math.max(this.#rounds[last]!, rounds);
    const outer = this.#frames.at(-1);
    if (outer) outer.rounds = Math.max(outer.rounds, rounds);
  }

  #isJndi(at: number): boolean {
    return this.#isWord(at, "jndi:") && schemes.some((scheme) => this.#isWord(at, scheme));
  }

  /** A word of small letters and colons, in letters of any case. */
  #isWord(at: number, word: string): boolean {
    if (at + word.length > this.#length) return false;
    for (let i = 0; i < word.length; i++) {
      const unit = this.#units[at + i]!;
      if ((unit >= 65 && unit <= 90 ? unit | 32 : unit) !== word.charCodeAt(i)) return false;
    }
    return true;
  }

  #put(unit: number): void {
    // A letter may become two in the other case.
    if (this.#length === this.#units.length) {
      const larger = new Uint16Array(this.#units.length * 2 + 16);
      larger.set(this.#units);
      this.#units = larger;
      const rounds = new Uint8Array(larger.length);
      rounds.set(this.#rounds);
      this.#rounds = rounds;
    }
    this.#rounds[this.#length] = 0;
    this.#units[this.#length++] = unit;
  }
}
