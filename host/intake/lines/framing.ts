const NEWLINE = 10;
const NUL = 0;
const SPACE = 32;
const RETURN = 13;
const ZERO = 48;
const NINE = 57;
/** A longer run of digits is text: no message is ten million bytes long. */
const LENGTH_DIGITS = 7;
const CARRY_BYTES = 1024;

/** Bytes of one message, good until the call returns; `truncated` when the rest of it was dropped at the limit. */
export type MessageHandler = (bytes: Uint8Array, truncated: boolean) => void;

/** Where the next byte belongs: between messages, in a length, in a message that ends with its terminator, in one of known length. */
type State = "start" | "length" | "line" | "counted";

/**
 * Cuts one connection's bytes into syslog messages (RFC 6587): octet counting when the first message begins with a length,
 * one message a newline or NUL otherwise.
 *
 * A counted connection may hold lines between its frames; a connection of lines never becomes a counted one, whatever its
 * lines begin with. No more than one message of `limitBytes` is kept, and blank lines are nothing.
 */
export class MessageFraming {
  readonly #limitBytes: number;
  readonly #emit: MessageHandler;
  #state: State = "start";
  #isCounting: boolean | undefined;
  #carry: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #carried = 0;
  /** Bytes of the message were dropped. */
  #cut = false;
  #length = 0;
  /** Bytes of a counted message still to come. */
  #left = 0;

  constructor(limitBytes: number, emit: MessageHandler) {
    this.#limitBytes = limitBytes;
    this.#emit = emit;
  }

  push(chunk: Uint8Array): void {
    const end = chunk.length;
    let at = 0;
    let nul = chunk.indexOf(NUL);
    while (at < end) {
      if (this.#state === "start") {
        const byte = chunk[at]!;
        if (byte === NEWLINE || byte === NUL || byte === RETURN) at++;
        else if (this.#isCounting !== false && byte > ZERO && byte <= NINE) this.#state = "length";
        else this.#beginLine();
      } else if (this.#state === "length") {
        at = this.#readLength(chunk, at);
      } else if (this.#state === "line") {
        const newline = chunk.indexOf(NEWLINE, at);
        if (nul >= 0 && nul < at) nul = chunk.indexOf(NUL, at);
        const stop = newline < 0 ? nul : nul < 0 ? newline : Math.min(newline, nul);
        this.#add(chunk, at, stop < 0 ? end : stop, stop >= 0);
        at = stop < 0 ? end : stop + 1;
      } else {
        const stop = Math.min(end, at + this.#left);
        this.#left -= stop - at;
        this.#add(chunk, at, stop, this.#left === 0);
        at = stop;
      }
    }
  }

  /** The connection has ended: an unfinished message is a message, a counted one a truncated one. */
  end(): void {
    if (this.#state === "counted") this.#cut = true;
    if (this.#carried > 0) this.#finish(this.#carry.subarray(0, this.#carried));
    this.#state = "start";
  }

  #beginLine(): void {
    this.#isCounting ??= false;
    this.#state = "line";
  }

  /** Digits and a space begin a counted message; anything else says that the digits were the beginning of a line. */
  #readLength(chunk: Uint8Array, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte >= ZERO && byte <= NINE && this.#carried < LENGTH_DIGITS) {
        this.#length = this.#length * 10 + byte - ZERO;
        this.#keep(chunk, at, at + 1);
        continue;
      }
      if (byte === SPACE) {
        this.#isCounting = true;
        this.#state = "counted";
        this.#left = this.#length;
        this.#carried = 0;
        this.#length = 0;
        return at + 1;
      }
      this.#length = 0;
      this.#beginLine();
      return at;
    }
    return chunk.length;
  }

  #add(chunk: Uint8Array, start: number, end: number, isWhole: boolean): void {
    if (isWhole && this.#carried === 0) {
      this.#finish(chunk.subarray(start, end));
      return;
    }
    this.#keep(chunk, start, end);
    if (isWhole) this.#finish(this.#carry.subarray(0, this.#carried));
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    // One byte beyond the limit tells that the message is longer.
    const taken = Math.min(end - start, this.#limitBytes + 1 - this.#carried);
    const needed = this.#carried + taken;
    if (needed > this.#carry.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(this.#limitBytes + 1, 2 * this.#carry.length), CARRY_BYTES));
      grown.set(this.#carry.subarray(0, this.#carried));
      this.#carry = grown;
    }
    this.#carry.set(chunk.subarray(start, start + taken), this.#carried);
    this.#carried = needed;
  }

  #finish(message: Uint8Array): void {
    const cut = this.#cut || message.length > this.#limitBytes;
    this.#state = "start";
    this.#carried = 0;
    this.#cut = false;
    // A long message is rare: its memory is not kept by a connection that may live for days.
    const whole = cut ? cutText(message, this.#limitBytes) : message;
    if (!isBlank(whole)) this.#emit(whole, cut);
    if (this.#carry.length > 4 * CARRY_BYTES) this.#carry = new Uint8Array(0);
  }
}

/** At most `limitBytes` of UTF-8 text, without part of a character at its end. */
export function cutText(bytes: Uint8Array, limitBytes: number): Uint8Array {
  if (bytes.length <= limitBytes) return bytes;
  let end = limitBytes;
  while (end > limitBytes - 4 && end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/** Nothing but blanks and control characters of the blank kind? */
export function isBlank(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== SPACE && (byte < 9 || byte > 13) && byte !== NUL) return false;
  return true;
}
