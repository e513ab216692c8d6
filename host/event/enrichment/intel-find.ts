import { addressesOf, scalarsBelow, valuesAt } from "../../query/values.ts";
import { type AddressBytes, addressText, parseAddress } from "../address.ts";
import type { Json, LogEvent } from "../event.ts";
import { readTimestamp } from "../timestamp.ts";
import { domainAndParents, domainKey, hashBytes, mapped4, urlHost, urlKey } from "./intel-key.ts";
import type { IntelDetail, IntelTable } from "./intel-table.ts";

export type IntelType = "IP" | "DOMAIN" | "URL" | "MD5" | "SHA1" | "SHA256";

/** An indicator that an event holds, as it stands in `threat_intel.results`. */
export interface IntelResult extends IntelDetail {
  /** The value found: an address in canonical text, a domain or the listed one around it, a URL or hash as it stands in the event. */
  readonly indicator: string;
  readonly type: IntelType;
}

/** An entry of the table, and the value that met it. */
export interface IntelHit {
  readonly entry: number;
  readonly indicator: string;
}

/** Attributes of one kind of text that are looked up. */
export const domainPaths: ReadonlyArray<readonly string[]> = [["dns", "question", "name"], ["dns", "answer", "name"], ["http", "url_details", "host"], ["http", "url_details", "domain"], ["hostname"]];
export const urlPaths: ReadonlyArray<readonly string[]> = [["http", "url"]];
const hashNames = ["md5", "sha1", "sha256"] as const;
export const hashPaths: ReadonlyArray<readonly string[]> = [
  ...[[], ["file"], ["process"], ["process", "executable"]].flatMap((owner) => [[...owner, "hashes"], ...hashNames.map((name) => [...owner, "hashes", name])]),
  ...[["file"], ["process"], ["process", "executable"]].flatMap((owner) => [...hashNames.map((name) => [...owner, name]), ...hashNames.map((name) => [...owner, "hash", name])]),
];
/** Addresses that pipelines cut out, beside those that stand in the record. */
export const addressPaths: ReadonlyArray<readonly string[]> = [["network", "ip", "list"], ["network", "client", "ip"], ["network", "destination", "ip"]];

/** A chain of the table's entries, and the value that led there. */
export interface Located {
  readonly first: number;
  readonly indicator: string;
}

export function locateAddress(table: IntelTable, bytes: AddressBytes): Located[] {
  const four = bytes.length === 4 ? bytes : mapped4(bytes);
  const indicator = addressText(four ?? bytes);
  if (!four) {
    const six = Uint8Array.from(bytes);
    return located([table.find("ipv6", six), table.block6(six)], indicator);
  }
  const address = ((four[0]! << 24) | (four[1]! << 16) | (four[2]! << 8) | four[3]!) >>> 0;
  return located([table.address4(address), table.block4(address)], indicator);
}

export function locateAddressText(table: IntelTable, text: string): Located[] {
  const bytes = parseAddress(text);
  return bytes ? locateAddress(table, bytes) : [];
}

/** The domain itself, and those it lies in. */
export function locateDomain(table: IntelTable, text: string): Located[] {
  const name = domainKey(text);
  return name === undefined ? [] : domainAndParents(name).flatMap((each) => located([table.text("domain", each)], each));
}

/** The URL itself, and the domain of its host. */
export function locateUrl(table: IntelTable, text: string): Located[] {
  const key = urlKey(text);
  const host = urlHost(text);
  return [...(key === undefined ? [] : located([table.text("url", key)], text)), ...(host === undefined ? [] : locateDomain(table, host))];
}

export function locateHash(table: IntelTable, text: string): Located[] {
  const bytes = hashBytes(text);
  return bytes ? located([table.find("hash", bytes)], text) : [];
}

function located(firsts: readonly number[], indicator: string): Located[] {
  return firsts.filter((first) => first !== 0).map((first) => ({ first, indicator }));
}

/** What of it has not expired at a time. */
export function hitsAt(table: IntelTable, places: readonly Located[], timeMs: number, into: IntelHit[]): void {
  for (const { first, indicator } of places) {
    const entries: number[] = [];
    table.chain(first, timeMs, entries);
    for (const entry of entries) into.push({ entry, indicator });
  }
}

/** What the table says of a text, whatever it is: for people who ask. */
export function findText(table: IntelTable, text: string, timeMs: number): IntelResult[] {
  const hits: IntelHit[] = [];
  const locate = parseAddress(text) ? locateAddressText : hashBytes(text) ? locateHash : text.includes("/") ? locateUrl : locateDomain;
  hitsAt(table, locate(table, text), timeMs, hits);
  return resultsOf(table, hits);
}

/** Hits as results: each once, in the order of the feeds. */
export function resultsOf(table: IntelTable, hits: readonly IntelHit[]): IntelResult[] {
  const ordered = hits.toSorted((a, b) => a.entry - b.entry || (a.indicator < b.indicator ? -1 : a.indicator > b.indicator ? 1 : 0));
  const once = ordered.filter((hit, i) => i === 0 || hit.entry !== ordered[i - 1]!.entry || hit.indicator !== ordered[i - 1]!.indicator);
  return once.map(({ entry, indicator }) => ({ indicator, type: typeOf(table, entry, indicator), ...table.detail(entry) }));
}

function typeOf(table: IntelTable, entry: number, indicator: string): IntelType {
  switch (table.kindOf(entry)) {
    case "ipv4": case "ipv6": case "block4": case "block6":
      return "IP";
    case "domain":
      return "DOMAIN";
    case "url":
      return "URL";
    case "hash":
      return indicator.length === 32 ? "MD5" : indicator.length === 40 ? "SHA1" : "SHA256";
  }
}

/** The attribute `threat_intel` of results; undefined of none. */
export function intelAttribute(results: readonly IntelResult[]): { [name: string]: Json } | undefined {
  if (!results.length) return undefined;
  return { indicators_matched: [...new Set(results.map(({ type }) => type))].sort(), results: results as unknown as Json };
}

/** What an event that is made says of itself already counts, and nothing is added to it. */
export const INTEL = "threat_intel";

/**
 * The indicators an event holds: addresses anywhere in the record as it came, and what the made event has in the attributes that name
 * addresses, domains, URLs and hashes.
 *
 * @param decoded the event before its pipelines
 */
export function intelOf(table: IntelTable, decoded: LogEvent, made: LogEvent, arrivalMs: number | undefined): { [name: string]: Json } | undefined {
  if (valuesAt(made.attributes, [INTEL]).some((value) => scalarsBelow(value).length > 0)) return undefined;
  const timeMs = readTimestamp(made.timestamp, arrivalMs ?? Number.NaN) ?? arrivalMs ?? Number.NaN;
  const hits: IntelHit[] = [];
  const texts = (paths: ReadonlyArray<readonly string[]>): string[] => paths.flatMap((path) => valuesAt(made.attributes, path)).filter((value) => typeof value === "string");
  for (const text of [...addressesOf(decoded), ...texts(addressPaths)]) hitsAt(table, locateAddressText(table, text), timeMs, hits);
  for (const text of texts(domainPaths)) hitsAt(table, locateDomain(table, text), timeMs, hits);
  for (const text of texts(urlPaths)) hitsAt(table, locateUrl(table, text), timeMs, hits);
  for (const text of texts(hashPaths)) hitsAt(table, locateHash(table, text), timeMs, hits);
  return intelAttribute(resultsOf(table, hits));
}
