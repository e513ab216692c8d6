import type { CallHead } from "./route.ts";
import type { Principal } from "./principal.ts";

/** Why nobody is let in: 401 where nothing was shown, 403 where it is not good. */
export interface Stranger {
  readonly status: 401 | 403;
  readonly text: string;
}

/** Finds out who asks. */
export interface Doorkeeper {
  /** @param isChange the call changes something, so a session needs its token beside the cookie. */
  who(head: CallHead, isChange: boolean, nowMs: number): Principal | Stranger;
}

export function isStranger(found: Principal | Stranger): found is Stranger {
  return "status" in found;
}
