import type { Json } from "../../event/event.ts";

/** What stands where a secret was. */
export const MASK = "***";

/** Names, in small letters without separators, whose values are nobody's to read. */
const SECRET_NAME = /passw(?:or)?d|passphrase|passcode|secret|credential|privatekey|signingkey|encryptionkey|accesskey|apikey|appkey|applicationkey|sharedkey|masterkey|hmackey|authkey|authorization|cookie|bearer|connectionstring|webhook|^(?:url)?token$|token(?:value|text)?$|^(?:pwd|pass|pin|otp|salt|jwt|tokens)$/;
/** Names that look like it and tell of a secret without being one. */
const TELLING_NAME = /(?:id|ids|name|names|count|type|types|kind|enabled|required|last4|lastfour|createdat|expiresat|expirationdate|length|field|fields|format|version|env)$/;
/** Names of what is public, though it looks like a key: sums of files. */
const SUM_NAME = /(?:md5|sha1|sha256|sha512|hash|digest|checksum|fingerprint|imphash|etag|commit|id|ids|uuid)$/;

/** A text that is a key as a whole: of ours and Datadog's, 32 or 40 hexadecimal digits. */
const WHOLE_KEY = /^(?:[0-9a-f]{32}|[0-9a-f]{40})$/i;
/** Secrets that are known by their form wherever they stand. What has to be followed by something is bounded: no text makes them slow. */
const FORMS: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----)?/g,
  /\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,4000}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g,
  /\bxapp-[A-Za-z0-9-]{10,}/g,
  /\bgh[oprsu]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bglpat-[A-Za-z0-9_-]{15,}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}/g,
  /\bsk-[A-Za-z0-9_-]{20,}/g,
  /\bSG\.[A-Za-z0-9_-]{10,100}\.[A-Za-z0-9_-]{10,200}/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\bdd[ap]p?_[A-Za-z0-9]{30,}/g,
  /\bnpm_[A-Za-z0-9]{30,}/g,
];
/** What stands before is kept, what follows is not. */
const LED: readonly RegExp[] = [
  /(https:\/\/hooks\.slack\.com\/(?:services|workflows|triggers)\/)[^\s"'<>]+/gi,
  /(https:\/\/(?:[a-z0-9-]+\.)?(?:discord|discordapp)\.com\/api\/webhooks\/)[^\s"'<>]+/gi,
  /(https:\/\/[a-z0-9.-]+\.webhook\.office\.com\/)[^\s"'<>]+/gi,
  /(https:\/\/events\.pagerduty\.com\/integration\/)[^\s"'<>/]+/gi,
  /(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}/gi,
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@"'<>]{0,100}:)[^\s/@"'<>]{1,200}(?=@)/gi,
  /((?:[?&;]|\b)(?:api[_-]?key|app(?:lication)?[_-]?key|access[_-]?key|access[_-]?token|auth[_-]?token|token|secret|client[_-]?secret|password|passwd|pwd|signature|sig)=)[^\s&;"'<>]+/gi,
  /(\bdd-(?:api|application)-key\s*[:=]\s*)[^\s"',;]+/gi,
];
/** AWS tells its keys' ids openly; what follows them in one text may be the secret. */
const AWS_PAIR = /(\b(?:AKIA|ASIA)[A-Z0-9]{16}\b[^A-Za-z0-9/+=]{1,40})[A-Za-z0-9/+=]{40}/g;

const MOST_DEPTH = 32;
const LONGEST_TEXT = 32_768;

/**
 * A copy of a value in which nobody finds a password, a key or a token: by the names they stand under, at any depth, and by the
 * forms in which they are known.
 */
export function masked(value: unknown): Json {
  return maskedAt(value, "", false, 0);
}

/** @param isWithin it stands somewhere below a name of secrets */
function maskedAt(value: unknown, name: string, isWithin: boolean, depth: number): Json {
  if (value === null || value === undefined || typeof value === "function" || typeof value === "symbol") return null;
  if (typeof value === "boolean") return value;
  const isSecret = isSecretName(name) || (isWithin && !TELLING_NAME.test(plain(name)));
  if (typeof value === "number") return isSecret ? MASK : Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") return isSecret ? MASK : String(value);
  if (typeof value === "string") return isSecret && value !== "" ? MASK : maskedText(value, name);
  if (depth >= MOST_DEPTH) return "…";
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => maskedAt(item, name, isSecret, depth + 1));
  if (ArrayBuffer.isView(value)) return MASK;
  // Headers and variables often stand as a name beside its value.
  const named = namedBy(value as Readonly<Record<string, unknown>>);
  const members = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(members.map(([member, inner]) => [member, maskedAt(inner, member === "value" && named !== undefined ? named : member, isSecret, depth + 1)]));
}

function namedBy({ name, key, header, value }: Readonly<Record<string, unknown>>): string | undefined {
  if (value === undefined) return undefined;
  return [name, key, header].find((each): each is string => typeof each === "string" && isSecretName(each));
}

function isSecretName(name: string): boolean {
  const text = plain(name);
  return SECRET_NAME.test(text) && !TELLING_NAME.test(text);
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

function maskedText(text: string, name: string): string {
  if (WHOLE_KEY.test(text) && !SUM_NAME.test(plain(name))) return MASK;
  let out = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  for (const form of FORMS) out = out.replaceAll(form, MASK);
  for (const form of [...LED, AWS_PAIR]) out = out.replaceAll(form, `$1${MASK}`);
  return out;
}
