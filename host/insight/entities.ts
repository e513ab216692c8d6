import type { QueryNode } from "../query/tree.ts";
import { type Severity, severities } from "../rule/rule.ts";
import { type EntityType, entityTypes } from "../signal-model/entities.ts";
import type { EntityPage, EntityRow } from "../signal-search/entity-rows.ts";
import type { SignalSearch } from "../signal-search/signal-search.ts";
import { entitiesHref, entityHref } from "./links.ts";

export type { EntityRow } from "../signal-search/entity-rows.ts";

export interface RiskAsked {
  /** Only entities to whose score a signal adds that was created since; epoch ms. Absent: all that have a score. */
  readonly fromMs?: number;
  /** The instant of the scores, epoch ms. */
  readonly toMs: number;
  /** Whose view it is, such as a call's principal: scores are made of the signals they may see. */
  readonly sight: { readonly restriction?: readonly QueryNode[] };
}

/** How many entities there are of one kind; `href` leads to the list of them. */
export interface RiskCount<Name extends string> {
  readonly name: Name;
  readonly count: number;
  readonly href: string;
}

/** The risk modules of the overview (platform spec 15: `risk.top`, `risk.types`, `risk.severity`), of entities with a score above 0. */
export interface EntityRisk {
  /** Highest scores first, then by name. */
  top(n: number): Promise<readonly (EntityRow & { readonly href: string })[]>;
  /** Types there are entities of, most first. */
  byType(): Promise<ReadonlyArray<RiskCount<EntityType>>>;
  /** All five, critical first. */
  bySeverity(): Promise<ReadonlyArray<RiskCount<Severity>>>;
}

/**
 * Entities at risk as of an instant. Nothing is asked before one of the answers is wanted.
 *
 * Its answers throw as a search over signals does: `signals/too-costly`, or that the search is closed.
 */
export function entityRisk({ signalSearch }: { readonly signalSearch: SignalSearch }, { fromMs, toMs, sight }: RiskAsked): EntityRisk {
  const ask = (limit: number): Promise<EntityPage> => signalSearch.entities({ atMs: toMs, limit, ...(fromMs === undefined ? {} : { fromMs }), ...(sight.restriction ? { restrict: sight.restriction } : {}) });
  let counted: Promise<EntityPage> | undefined;
  const counts = (): Promise<EntityPage> => (counted ??= ask(0));
  return {
    top: async (n) => (await ask(n)).rows.map((row) => ({ ...row, href: entityHref(row.type, row.value) })),
    byType: async () => {
      const { byType } = await counts();
      return entityTypes
        .flatMap((name) => (byType[name] ? [{ name, count: byType[name], href: entitiesHref({ query: `type:${name}` }) }] : []))
        .sort((a, b) => b.count - a.count);
    },
    bySeverity: async () => {
      const { bySeverity } = await counts();
      return severities.toReversed().map((name) => ({ name, count: bySeverity[name], href: entitiesHref({ query: `severity:${name}` }) }));
    },
  };
}
