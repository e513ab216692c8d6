import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { WebWorld } from "./support.ts";

export interface Place {
  /** For file names and failures. */
  readonly name: string;
  readonly address: string;
}

/** Every page, and what opens beside or within it. */
export async function placesOf(world: WebWorld): Promise<readonly Place[]> {
  const { data: [signal] } = await world.api<{ readonly data: ReadonlyArray<{ readonly id: string }> }>("GET", "/api/v2/security_monitoring/signals?filter[query]=source:auth&page[limit]=1");
  const { data: [log] } = await world.api<{ readonly data: ReadonlyArray<{ readonly id: string }> }>("POST", "/api/v2/logs/events/search", { filter: { query: "source:cloudtrail", from: "now-1d", to: "now" }, page: { limit: 1 } });
  const { dashboards: [dashboard] } = await world.api<{ readonly dashboards: ReadonlyArray<{ readonly id: string }> }>("GET", "/api/v1/dashboard");
  return [
    { name: "overview", address: "/security/overview" },
    { name: "signals", address: "/security/signals" },
    ...["what", "evidence", "entities", "related", "playbook", "history", "json"].map((tab) => ({ name: `signal-${tab}`, address: `/security/signals/${signal!.id}?tab=${tab}` })),
    { name: "entities", address: "/security/entities" },
    { name: "entity", address: "/security/entities/ip/203.0.113.9" },
    { name: "mitre", address: "/security/mitre" },
    { name: "mitre-signals", address: "/security/mitre?mode=signals" },
    { name: "mitre-technique", address: "/security/mitre?tactic=TA0006&technique=T1110" },
    { name: "rules", address: "/security/rules" },
    { name: "rule-new", address: "/security/rules/new?query=source%3Aauth" },
    ...["rule", "performance", "backtest", "versions"].map((tab) => ({ name: `rule-${tab}`, address: `/security/rules/linux-login-bruteforce?tab=${tab}` })),
    { name: "logs", address: "/logs?from=now-1d" },
    { name: "log", address: `/logs?from=now-1d&event=${log!.id}` },
    ...["packs", "suppressions"].map((name) => ({ name, address: `/security/${name}` })),
    ...["tables", "filters", "assets", "intake", "keys", "people", "audit", "onboarding"].map((name) => ({ name, address: `/settings/${name}` })),
    { name: "dashboards", address: "/dashboards" },
    { name: "dashboard", address: `/dashboards/${dashboard!.id}` },
    { name: "roles", address: "/settings/people?tab=roles" },
    { name: "log-patterns", address: "/logs?from=now-1d&view=patterns" },
  ];
}

/** Paths of the pages as the shell knows them. */
export function pagePaths(): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, "../../web/shell/pages.ts"), "utf8");
  return [...text.matchAll(/\{ path: "([^"]+)"/g)].map(([, path]) => path!);
}
