import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { IntakeKeys } from "./contract.ts";
import { Refused } from "./exchange.ts";

/** Firehose's own limit; nobody's key is longer. */
const KEY_BYTES_CAP = 4096;

/** What is kept of a key: SHA-256 as hex. */
export function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** Keys that may send, by hash. Not even one: then none is needed. */
export function intakeKeys(hashes: readonly string[]): IntakeKeys {
  const known = hashes.map((hash) => Buffer.from(hash, "hex"));
  const odd = known.findIndex((hash) => hash.length !== 32);
  if (odd >= 0) throw new Error(`key hash ${odd} is not a SHA-256 in hex`);
  return {
    required: known.length > 0,
    has(key) {
      if (key.length > KEY_BYTES_CAP) return false;
      const hash = createHash("sha256").update(key).digest();
      // All are looked at, so that time tells nothing of which one it was.
      let found = false;
      for (const each of known) found = timingSafeEqual(each, hash) || found;
      return found;
    },
  };
}

/** One header's text; the first where several came. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  const text = Array.isArray(value) ? value[0] : value;
  return text === undefined || text === "" ? undefined : text;
}

/**
 * The key in `Authorization`: behind one of the schemes, or the password of `Basic`. Throws `bad-scheme` for any other.
 *
 * @param schemes in small letters
 */
export function authorizationKey(headers: IncomingHttpHeaders, schemes: readonly string[]): string | undefined {
  const text = headerText(headers, "authorization")?.trim();
  if (text === undefined || text === "") return undefined;
  const blank = text.indexOf(" ");
  const scheme = (blank < 0 ? text : text.slice(0, blank)).toLowerCase();
  const rest = blank < 0 ? "" : text.slice(blank + 1).trim();
  if (!schemes.includes(scheme)) throw new Refused("bad-scheme", "the Authorization header has a scheme that is not taken here");
  if (rest === "") return undefined;
  if (scheme !== "basic") return rest;
  const pair = Buffer.from(rest, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1) || undefined;
}
