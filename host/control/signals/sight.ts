import { matches } from "../../query/matches.ts";
import type { QueryNode } from "../../query/tree.ts";
import { canonicalQuery } from "../../signal-search/aliases.ts";
import { searchable } from "../../signal-search/searchable.ts";
import type { StoredSignal } from "../../signal-model/stored.ts";
import type { SignalStore } from "../../store/signals.ts";
import type { Principal } from "../principal.ts";

/** Which signals somebody sees: those that the query of one of their roles finds. */
export class Sight {
  readonly #signals: SignalStore;

  constructor(signals: SignalStore) {
    this.#signals = signals;
  }

  /** Undefined where there is no such signal, or none for them: which of the two nobody is told. */
  see(id: string, who: Pick<Principal, "restriction">): StoredSignal | undefined {
    const stored = this.#signals.get(id);
    return stored && (!who.restriction || this.#shows(stored, who.restriction)) ? stored : undefined;
  }

  isVisible(id: string, who: Pick<Principal, "restriction">): boolean {
    return !who.restriction || this.see(id, who) !== undefined;
  }

  #shows(stored: StoredSignal, restriction: readonly QueryNode[]): boolean {
    const { event } = searchable(stored);
    return restriction.some((node) => matches(canonicalQuery(node), event));
  }
}
