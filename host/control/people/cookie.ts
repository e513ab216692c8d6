import type { CallHead } from "../route.ts";

export const SESSION_COOKIE = "vespid_session";
/** Longest token or signed text that is looked at. */
const MOST_CHARS = 4096;

/**
 * A cookie's value. Undefined where it is not there, and where it is there twice: a neighbouring site that can set cookies for
 * this one shall not choose which one counts.
 */
export function cookieOf({ headers }: Pick<CallHead, "headers">, name: string): string | undefined {
  const { cookie } = headers;
  const values = (Array.isArray(cookie) ? cookie.join("; ") : (cookie ?? "")).split(";").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at > 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
  const [value] = values;
  return values.length === 1 && value !== "" && value!.length <= MOST_CHARS ? value : undefined;
}

export interface CookieFacts {
  /** Seconds it is kept; 0 takes it away. */
  readonly maxAgeS: number;
  readonly isSecure: boolean;
  readonly path?: string;
  /** Lax ones come along when another site leads here. */
  readonly sameSite?: "Strict" | "Lax";
}

/** No script reads it. */
export function setCookie(name: string, value: string, { maxAgeS, isSecure, path = "/", sameSite = "Strict" }: CookieFacts): string {
  return `${name}=${value}; Path=${path}; Max-Age=${maxAgeS}; HttpOnly; SameSite=${sameSite}${isSecure ? "; Secure" : ""}`;
}
