import type { AddressBytes } from "../address.ts";

/** The four bytes of `::ffff:a.b.c.d`, which is the IPv4 address; undefined for other IPv6 addresses. */
export function mapped4(bytes: AddressBytes | Uint8Array): AddressBytes | undefined {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return undefined;
  return bytes[10] === 0xff && bytes[11] === 0xff ? [bytes[12]!, bytes[13]!, bytes[14]!, bytes[15]!] : undefined;
}

const DOMAIN = /^[^\s/:@#?]{1,253}$/;

/** A domain as it is compared: lower case, without the root's dot. Undefined for what is none; one label is none. */
export function domainKey(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, "");
  return DOMAIN.test(name) && name.includes(".") && !name.startsWith(".") && !name.includes("..") ? name : undefined;
}

/** The domain and those it lies in, of two labels and more. */
export function domainAndParents(name: string): string[] {
  const names = [name];
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const parent = name.slice(dot + 1);
    if (parent.includes(".")) names.push(parent);
  }
  return names;
}

const URL_PARTS = /^(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/)?(?:[^/?#@\s]*@)?([^/?#\s]+)([^#\s]*)/;

/** A URL as it is compared: without scheme, user and fragment, its host in lower case. */
export function urlKey(text: string): string | undefined {
  const [, host, rest] = URL_PARTS.exec(text) ?? [];
  if (host === undefined || !host.includes(".")) return undefined;
  return `${host.toLowerCase()}${rest === "" || rest!.startsWith("?") ? `/${rest}` : rest}`;
}

/** The host of a URL's key. */
export function keyHost(key: string): string {
  return /^[^/?:]*/.exec(key)![0].replace(/\.$/, "");
}

/** Host of a URL that names one, without its port. */
export function urlHost(text: string): string | undefined {
  const host = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#@\s]*@)?([^/?#:\s]+)/.exec(text)?.[1];
  return host?.toLowerCase();
}

const HEX = /^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$/;

/** Bytes of an MD5, SHA-1 or SHA-256 in hexadecimal. */
export function hashBytes(text: string): Uint8Array | undefined {
  return HEX.test(text) ? Buffer.from(text, "hex") : undefined;
}
