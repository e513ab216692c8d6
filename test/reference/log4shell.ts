import type { LogEvent } from "../../host/event/event.ts";
import { scalarsBelow } from "../../host/query/values.ts";

const JNDI = /\$\{jndi:(?:ldap|ldaps|rmi|dns|iiop|corba|nis|nds|https?):/i;
const LOOKUP = /\$\{(lower|upper):([^{}]*)\}|\$\{[^{}]*?:-([^{}]*)\}/gi;

/** Section 11 round by round, with regular expressions: the scan is held to its answers. */
export function holdsJndiLookupByRounds(text: string): boolean {
  for (let round = 0; round < 8; round++) {
    if (JNDI.test(text)) return true;
    text = text.replace(LOOKUP, (whole: string, word: string | undefined, inner: string, fallback: string) => {
      const result = word === undefined ? fallback : word.toLowerCase() === "lower" ? inner.toLowerCase() : inner.toUpperCase();
      return Math.max(result.length, inner?.length ?? 0) > 8192 ? whole : result;
    });
  }
  return JNDI.test(text);
}

export function isLog4Shell(event: LogEvent): boolean {
  return [event.message, ...scalarsBelow(event.attributes)].some((text) => typeof text === "string" && holdsJndiLookupByRounds(text));
}
