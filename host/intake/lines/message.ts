import { textDefaults } from "../../event/decode.ts";
import type { Json } from "../../event/event.ts";
import { readSyslog } from "../../event/syslog.ts";
import type { IntakeKeys } from "../contract.ts";

/** How the lines of a stream are read: syslog lines, Datadog's intake JSON, plain text. */
export type LineFormat = "syslog" | "intake" | "text";

const NEWLINE = 10;
const SPACE = 32;
const LESS = 60;
const OPEN = 123;
const CLOSE = 125;
const KEY_BYTES_MIN = 6;
const KEY_BYTES_MAX = 128;
/** The form of Datadog's own keys: known as one even where none is asked for. */
const DATADOG_KEY = /^[0-9a-f]{32}$/;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Why a message was not taken. */
export type MessageRefusal = "no-key" | "wrong-key";

/**
 * Finds a message's API key and what stands behind it. One per connection: the key found last is known by its bytes, so
 * that a hash is made once per connection and not once per line.
 */
export class MessageReader {
  readonly #keys: IntakeKeys;
  readonly #isKeyNeeded: boolean;
  #lastKey = new Uint8Array(0);
  /** Of the message read last: where the payload begins, and what it is. */
  start = 0;
  format: LineFormat = "syslog";

  /** @param isKeyNeeded false for devices that cannot send a key, when the operator said so. */
  constructor(keys: IntakeKeys, isKeyNeeded = keys.required) {
    this.#keys = keys;
    this.#isKeyNeeded = isKeyNeeded;
  }

  /** Sets `start` and `format`, or says why the message is refused. A truncated JSON object is no longer one: it is text. */
  read(bytes: Uint8Array, truncated: boolean): MessageRefusal | undefined {
    const first = bytes[0]!;
    const keyEnd = first === LESS || first === OPEN ? 0 : this.#keyEnd(bytes);
    if (this.#isKeyNeeded && keyEnd <= 0) return keyEnd < 0 ? "wrong-key" : "no-key";
    this.start = Math.max(0, keyEnd);
    if (keyEnd > 0) while (bytes[this.start] === SPACE) this.start++;
    const payload = bytes[this.start]!;
    if (payload === OPEN && !truncated && lastByte(bytes) === CLOSE) this.format = "intake";
    else this.format = payload === LESS || keyEnd <= 0 ? "syslog" : "text";
    return undefined;
  }

  /** Where the payload begins behind a key; 0 when the line begins with no word that could be one, -1 when its key is not ours. */
  #keyEnd(bytes: Uint8Array): number {
    const last = this.#lastKey.length;
    if (last > 0 && bytes[last] === SPACE && startsWith(bytes, this.#lastKey)) return last + 1;
    let end = 0;
    while (end < bytes.length && end <= KEY_BYTES_MAX && isKeyByte(bytes[end]!)) end++;
    if (end < KEY_BYTES_MIN || end > KEY_BYTES_MAX || bytes[end] !== SPACE || end + 1 >= bytes.length) return 0;
    const word = decoder.decode(bytes.subarray(0, end));
    const isOurs = this.#keys.has(word);
    if (!isOurs && (this.#isKeyNeeded || !DATADOG_KEY.test(word))) return this.#isKeyNeeded ? -1 : 0;
    this.#lastKey = bytes.slice(0, end);
    return end + 1;
  }
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  for (let i = 0; i < head.length; i++) if (bytes[i] !== head[i]) return false;
  return true;
}

/** Letters, digits, `-` and `_`. */
function isKeyByte(byte: number): boolean {
  const letter = byte | 32;
  return (letter >= 97 && letter <= 122) || (byte >= 48 && byte <= 57) || byte === 45 || byte === 95;
}

/** Does the text begin and end as a JSON object does? */
export function looksLikeObject(bytes: Uint8Array): boolean {
  return bytes[0] === OPEN && lastByte(bytes) === CLOSE;
}

function lastByte(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1]! <= SPACE) end--;
  return bytes[end - 1] ?? 0;
}

/**
 * A message of several lines as one line of intake JSON that reads as the message itself would have, had it stood on one.
 * Bytes that stand on one line stay what they are.
 */
export function onOneLine(bytes: Uint8Array, format: LineFormat, hasSource: boolean): { readonly format: LineFormat; readonly bytes: Uint8Array } {
  if (!bytes.includes(NEWLINE)) return { format, bytes };
  // In JSON a newline can only stand between values, where any blank will do.
  if (format === "intake") return { format, bytes: bytes.map((byte) => (byte === NEWLINE ? SPACE : byte)) };
  const text = decoder.decode(bytes).trimEnd();
  return { format: "intake", bytes: asJson((format === "syslog" && readSyslog(text)) || { message: text }, format, hasSource) };
}

/**
 * A syslog line as intake JSON of this service, whatever program its header names; undefined when it has no header, and is
 * of the service that its input says anyway.
 */
export function ofService(line: Uint8Array, service: string, hasSource: boolean): Uint8Array | undefined {
  const record = readSyslog(decoder.decode(line));
  return record && asJson({ ...record, service }, "syslog", hasSource);
}

function asJson(record: { readonly [name: string]: Json }, format: "syslog" | "text", hasSource: boolean): Uint8Array {
  // Lines of syslog are of that source unless they or their input say otherwise; JSON is of none.
  const { source } = hasSource || "ddsource" in record ? {} : textDefaults({ format });
  return encoder.encode(JSON.stringify(source === undefined ? record : { ...record, ddsource: source }));
}
