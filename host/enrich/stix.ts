import type { Json } from "../event/event.ts";
import type { Problem } from "../problem.ts";
import type { IntelTextKind } from "./intel-builder.ts";

/** An `indicator` object, as far as it can be matched. */
export interface StixIndicator {
  readonly id: string;
  readonly isRevoked: boolean;
  readonly intention: string;
  /** Every value that its pattern names. */
  readonly values: ReadonlyArray<{ readonly kind: IntelTextKind; readonly value: string }>;
  readonly expiresMs: number | undefined;
  readonly additional: { [name: string]: Json } | undefined;
}

export interface StixBundle {
  readonly indicators: readonly StixIndicator[];
  /** Objects, or patterns, that say something else. */
  readonly unsupported: number;
  readonly invalid: number;
}

type Members = { readonly [name: string]: Json | undefined };

/** Members that have a place of their own. */
const placed: ReadonlySet<string> = new Set(["type", "id", "spec_version", "pattern", "pattern_type", "indicator_types", "valid_until", "revoked"]);

/** A STIX 2.1 bundle. What is no bundle is a problem as a whole; objects in it that cannot be used are counted. */
export function readStix(text: string): StixBundle | { readonly problem: Problem } {
  let value: Json;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, "")) as Json;
  } catch {
    return { problem: { code: "intel/not-json", message: "this is no JSON", hint: "send a STIX 2.1 bundle" } };
  }
  if (!isMembers(value) || value.type !== "bundle" || (value.objects !== undefined && !Array.isArray(value.objects))) {
    return { problem: { code: "intel/not-stix", message: "this is no STIX bundle", hint: 'write {"type": "bundle", "id": …, "objects": […]}' } };
  }
  if (value.spec_version !== undefined && value.spec_version !== "2.1") {
    return { problem: { code: "intel/stix-version", message: `the bundle is of STIX ${JSON.stringify(value.spec_version)}`, hint: "send STIX 2.1" } };
  }
  const indicators: StixIndicator[] = [];
  let unsupported = 0;
  let invalid = 0;
  for (const object of (value.objects as readonly Json[] | undefined) ?? []) {
    const read = isMembers(object) ? indicatorOf(object) : "invalid";
    if (read === "invalid") invalid++;
    else if (read === "unsupported") unsupported++;
    else indicators.push(read);
  }
  return { indicators, unsupported, invalid };
}

function indicatorOf(object: Members): StixIndicator | "unsupported" | "invalid" {
  if (typeof object.type !== "string") return "invalid";
  if (object.type !== "indicator" || (object.spec_version !== undefined && object.spec_version !== "2.1")) return "unsupported";
  if (typeof object.id !== "string" || !object.id.startsWith("indicator--")) return "invalid";
  const isRevoked = object.revoked === true;
  const types = Array.isArray(object.indicator_types) ? object.indicator_types : [];
  const expiresMs = typeof object.valid_until === "string" ? Date.parse(object.valid_until) : undefined;
  if (Number.isNaN(expiresMs)) return "invalid";
  const head = { id: object.id, isRevoked, intention: types.includes("malicious-activity") ? "malicious" : types.includes("benign") ? "benign" : "suspicious", expiresMs };
  if (typeof object.pattern !== "string") return isRevoked ? { ...head, values: [], additional: undefined } : "invalid";
  if (object.pattern_type !== undefined && object.pattern_type !== "stix") return "unsupported";
  const values = patternValues(object.pattern);
  if (!values.length && !isRevoked) return "unsupported";
  const rest = Object.entries(object).filter((entry): entry is [string, Json] => !placed.has(entry[0]) && entry[1] !== undefined);
  return { ...head, values, additional: rest.length ? { ...Object.fromEntries(rest), stix_id: object.id } : { stix_id: object.id } };
}

const kindsOfPath: Readonly<Record<string, IntelTextKind>> = { "ipv4-addr:value": "ip", "ipv6-addr:value": "ip", "domain-name:value": "domain", "url:value": "url" };
const HASH_PATH = /^file:hashes\.(?:'(?:SHA-256|SHA-1|MD5)'|(?:SHA256|SHA1|MD5))$/;
/** One comparison of a pattern, or what joins two. Strings escape \' and \\. */
const TOKEN = /\s*(?:([a-z0-9-]+:[A-Za-z0-9_.'-]+)\s*(=|IN\b)\s*((?:'(?:[^'\\]|\\.)*'|\(\s*'(?:[^'\\]|\\.)*'(?:\s*,\s*'(?:[^'\\]|\\.)*')*\s*\)))|(OR\b)|([[\]()]))/y;
const STRING = /'((?:[^'\\]|\\.)*)'/g;
const MOST_PATTERN_CHARS = 100_000;

/**
 * Values that a pattern is met by, each alone: comparisons for equality and lists, joined by OR. Empty for a pattern that asks for more
 * (AND, NOT, LIKE, FOLLOWEDBY), as then no value alone meets it.
 */
export function patternValues(pattern: string): Array<{ readonly kind: IntelTextKind; readonly value: string }> {
  const values: Array<{ readonly kind: IntelTextKind; readonly value: string }> = [];
  const text = pattern.trim();
  if (text.length > MOST_PATTERN_CHARS) return [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const token = TOKEN.exec(text);
    if (!token) {
      TOKEN.lastIndex = 0;
      return [];
    }
    const [, path, , operand] = token;
    if (path === undefined) continue;
    const kind = Object.hasOwn(kindsOfPath, path) ? kindsOfPath[path] : HASH_PATH.test(path) ? "hash" : undefined;
    if (kind === undefined) return [];
    for (const [, literal] of operand!.matchAll(STRING)) values.push({ kind, value: literal!.replace(/\\(.)/g, "$1") });
  }
  return values;
}

function isMembers(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
