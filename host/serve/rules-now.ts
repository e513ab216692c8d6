import type { Problem } from "../problem.ts";
import type { RuleSetup } from "./detection.ts";

/** Rules as they were found, good or not. */
export interface FoundRules {
  /** Undefined when an error keeps them from being used. */
  readonly setup: RuleSetup | undefined;
  readonly problems: readonly Problem[];
  /** Enabled rules whose own tests show no log that they match: they may never fire. */
  readonly unproved: readonly string[];
  /** Why these are not the rules on disk, where they are an earlier set. */
  readonly refused?: string;
}

/** Rules that can be used. */
export type GoodRules = FoundRules & { readonly setup: RuleSetup };

/** The rules that judge now, and what became of those that were to follow them. */
export class RulesNow {
  found: GoodRules;
  /** Changes on disk, by what became of them. */
  readonly reloads = { taken: 0, refused: 0 };
  /** Why the rules on disk are not those that judge; undefined where they are. */
  refused: string | undefined;

  constructor(found: GoodRules) {
    this.found = found;
    this.refused = found.refused;
  }

  take(found: GoodRules): void {
    this.found = found;
    this.reloads.taken++;
    this.refused = undefined;
  }

  refuse(why: string): void {
    this.reloads.refused++;
    this.refused = why;
  }
}
