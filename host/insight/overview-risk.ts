import { entitiesHref, entityHref } from "./links.ts";
import { type OverviewModule, overviewModule } from "./overview-ask.ts";

const MOST_ROWS = 10;

/** Scores are as of the end of the span, and of two weeks whatever it is. */
export const riskModules: readonly OverviewModule[] = [
  overviewModule({
    id: "risk.top", title: "Top risky entities", needs: "signals",
    href: () => entitiesHref(),
    read: async ({ risk }) => ({
      entities: (await risk().top(MOST_ROWS)).map(({ type, value, score, severity, change, updatedMs }) => ({ type, name: value, score, severity, change, updatedMs: updatedMs ?? null, href: entityHref(type, value) })),
    }),
  }),
  overviewModule({
    id: "risk.types", title: "Entity type breakdown", needs: "signals",
    href: () => entitiesHref(),
    read: async ({ risk }) => ({ counts: (await risk().byType()).map(({ name, count }) => ({ name, count, href: entitiesHref({ query: `type:${name}` }) })) }),
  }),
  overviewModule({
    id: "risk.severity", title: "Entities risk score breakdown", needs: "signals",
    href: () => entitiesHref(),
    read: async ({ risk }) => ({ counts: (await risk().bySeverity()).map(({ name, count }) => ({ name, count, href: entitiesHref({ query: `severity:${name}` }) })) }),
  }),
];
