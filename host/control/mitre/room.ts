import { Type } from "typebox";
import { type MapSignals, type MapTechnique, attackMap } from "../../insight/attack-map.ts";
import { all, phrase } from "../../insight/links.ts";
import { SignalNumbers } from "../../insight/signal-numbers.ts";
import { attack } from "../../mitre/attack.ts";
import { type CoverRule, type Coverage, coverageOf, densities, navigatorLayer } from "../../mitre/coverage.ts";
import { contentFolder } from "../../packs.ts";
import type { Rule } from "../../rule/rule.ts";
import { readTimeBound } from "../../search/index.ts";
import { badRequest } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import type { PacksRoom } from "../packs/room.ts";
import type { Principal } from "../principal.ts";
import { type RouteFacts, ok, route } from "../route.ts";

const BASE = "/api/v2/security_monitoring/mitre_attack";
/** What the two modes of the map count. */
const modes = ["rules", "signals"] as const;
const HOUR_MS = 3_600_000;
/** A source without logs for so long is not active (platform spec 17.3). */
const ACTIVE_MS = 72 * HOUR_MS;
/** What came since the last look is looked at for so long. */
const LOOK_MS = 30;

const facts: Pick<RouteFacts, "tag" | "permission" | "isSearch"> = { tag: "Rules", permission: "security_monitoring_rules_read", isSearch: true };
const filters = { source: Type.Optional(Type.String({ maxLength: 2000 })), sources: Type.Optional(Type.Enum(["all", "active"])), origin: Type.Optional(Type.Enum(["default", "custom"])) };
interface Filters {
  readonly source?: string;
  readonly sources?: "all" | "active";
  readonly origin?: "default" | "custom";
}

const Href = Type.String();
const Counts = Type.Object({ high: Type.Integer(), medium: Type.Integer(), low: Type.Integer(), none: Type.Integer() });
const Density = Type.Enum([...densities]);
const Signals = Type.Optional(Type.Integer());
const TechniqueMap = Type.Object({
  id: Type.String(), name: Type.String(), density: Density, href: Href, rules: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })), rules_in_all: Type.Integer(), rules_href: Href, signals: Signals, signals_href: Type.Optional(Href),
  subtechniques: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), rules: Type.Array(Type.String()), signals: Signals, signals_href: Type.Optional(Href) })),
});
const AttackMap = Type.Object({
  data: Type.Object({
    type: Type.Literal("mitre_attack"), id: Type.String(),
    attributes: Type.Object({
      version: Type.String(), mode: Type.Enum([...modes]), total: Type.Integer(), covered: Type.Integer(), density: Counts, remarks: Type.Array(Type.Object({ rule: Type.String(), text: Type.String() })),
      sources: Type.Array(Type.Object({ source: Type.String(), rules: Type.Integer(), active: Type.Optional(Type.Boolean()) })),
      tactics: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), density: Counts, href: Href, rules: Type.Integer(), rules_href: Href, signals: Signals, signals_href: Type.Optional(Href), techniques: Type.Array(TechniqueMap) })),
    }),
  }),
});

/** The rules that are asked about, and how a search finds them and their signals. */
interface Chosen {
  readonly rules: readonly CoverRule[];
  readonly coverage: Coverage;
  readonly rulesQuery: string;
  readonly signalsQuery: string;
  readonly sources: ReadonlyArray<{ readonly source: string; readonly rules: number; readonly active?: boolean }>;
}

/** The ATT&CK map: by rules that are enabled, or by signals that came. */
export function mitreRoom(context: ControlContext, packs: Pick<PacksRoom, "store" | "told">): Room {
  const table = () => attack(contentFolder());

  /** Sources that sent logs lately; undefined for those who may see some logs only. */
  const activeSources = async ({ restriction }: Principal, nowMs: number): Promise<ReadonlySet<string> | undefined> => {
    if (restriction) return undefined;
    await packs.told(nowMs, LOOK_MS);
    return new Set(packs.store.days(Math.floor((nowMs - ACTIVE_MS) / (24 * HOUR_MS))).filter(({ lastSeenMs }) => lastSeenMs >= nowMs - ACTIVE_MS).map(({ source }) => source));
  };

  /** Active sources alone unless all are asked for (platform spec 17.3); all for those who are not told which they are. */
  const choose = async ({ source, sources: askedSources, origin }: Filters, principal: Principal, nowMs: number): Promise<Chosen> => {
    const active = await activeSources(principal, nowMs);
    const sources = askedSources ?? (active ? "active" : "all");
    if (sources === "active" && !active) throw badRequest("sources: which of them are active is told to those who may see all logs");
    const enabled = (context.setup().rules as readonly Rule[]).filter(({ isEnabled }) => isEnabled);
    const named = countedSources(enabled);
    const wanted = source?.split(",").map((each) => each.trim()).filter(Boolean) ?? [];
    const isWanted = (rule: Rule): boolean => {
      const own = sourcesOf(rule);
      // A rule of no source in particular looks at whatever comes.
      return (!wanted.length || own.some((each) => wanted.includes(each))) && (sources === "all" || !own.length || own.some((each) => active!.has(each))) && (!origin || rule.isDefault === (origin === "default"));
    };
    const activeNamed = named.filter(([each]) => active?.has(each)).map(([each]) => each);
    const bySource = wanted.length ? anySource(wanted) : "";
    const rules = enabled.filter(isWanted) as readonly CoverRule[];
    return {
      rules, coverage: coverageOf(table(), rules),
      rulesQuery: all("isEnabled:true", bySource, sources === "active" ? (activeNamed.length ? `(${anySource(activeNamed)} OR -source:*)` : "-source:*") : "", origin ? `isDefault:${origin === "default"}` : ""),
      signalsQuery: all(bySource, origin ? `@workflow.rule.isDefaultRule:${origin === "default"}` : ""),
      sources: named.map(([each, rules]) => ({ source: each, rules, ...(active ? { active: active.has(each) } : {}) })),
    };
  };

  return {
    routes: [
      route({
        ...facts, method: "GET", path: BASE, operationId: "getMitreAttackMap", summary: "Techniques of ATT&CK with the rules that watch them, or the signals they raised",
        query: Type.Object({ ...filters, mode: Type.Optional(Type.Enum([...modes])), density: Type.Optional(Density), from: Type.Optional(Type.String({ maxLength: 100 })), to: Type.Optional(Type.String({ maxLength: 100 })), "filter[query]": Type.Optional(Type.String()) }),
        answers: { 200: AttackMap },
      }, async ({ query, principal, nowMs }) => {
        const { mode = "rules", density } = query;
        const { rules, coverage, rulesQuery, signalsQuery, sources } = await choose(query, principal, nowMs);
        const signals: MapSignals | undefined = mode === "signals" && principal.permissions.has("security_monitoring_signals_read") ? {
          numbers: new SignalNumbers(context.signalSearch, principal.restriction), query: all(grouped(query["filter[query]"] ?? ""), signalsQuery),
          span: { fromMs: readTimeBound(query.from ?? "now-7d", nowMs, "from"), toMs: readTimeBound(query.to ?? "now", nowMs, "to") },
        } : undefined;
        const tactics = await attackMap({ table: table(), coverage, rules, rulesQuery, ...(signals ? { signals } : {}) });
        return ok({
          data: {
            type: "mitre_attack", id: `enterprise-${coverage.version}`,
            attributes: {
              version: coverage.version, mode, total: coverage.total, covered: coverage.covered, density: coverage.counts, remarks: coverage.remarks, sources,
              tactics: tactics.map(({ tactic, counts, rules: watching, rulesHref, signals: count, techniques }) => ({
                id: tactic.id, name: tactic.name, density: counts, href: count?.href ?? rulesHref, rules: watching, rules_href: rulesHref, ...signalsOf(count),
                techniques: techniques.filter((each) => density === undefined || each.density === density).map(techniqueAnswer),
              })),
            },
          },
        });
      }),
      route({ ...facts, method: "GET", path: `${BASE}/navigator`, operationId: "getMitreNavigatorLayer", summary: "The same as a layer for MITRE's ATT&CK Navigator, each technique with as many points as it has rules", query: Type.Object(filters), answers: { 200: Type.Object({ name: Type.String(), domain: Type.String(), techniques: Type.Array(Type.Object({})) }) } },
        async ({ query, principal, nowMs }) => ok(navigatorLayer((await choose(query, principal, nowMs)).coverage, "Vespid"))),
    ],
  };
}

function techniqueAnswer({ technique, density, rules, rulesInAll, rulesHref, signals, subtechniques }: MapTechnique): Record<string, unknown> {
  return {
    id: technique.id, name: technique.name, density, href: signals?.href ?? rulesHref, rules: rules.map(({ id, name }) => ({ id, name })), rules_in_all: rulesInAll, rules_href: rulesHref, ...signalsOf(signals),
    subtechniques: subtechniques.map((sub) => ({ id: sub.technique.id, name: sub.technique.name, rules: sub.rules.map(({ id }) => id), ...signalsOf(sub.signals) })),
  };
}

function signalsOf(signals: MapTechnique["signals"]): Record<string, unknown> {
  return signals ? { signals: signals.count, signals_href: signals.href } : {};
}

function sourcesOf({ tags }: Pick<Rule, "tags">): string[] {
  return tags.filter((tag) => tag.startsWith("source:")).map((tag) => tag.slice("source:".length));
}

/** Those that rules name, with how many do, most first. */
function countedSources(rules: readonly Rule[]): Array<readonly [string, number]> {
  const counts = new Map<string, number>();
  for (const rule of rules) for (const source of new Set(sourcesOf(rule))) counts.set(source, (counts.get(source) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function anySource(sources: readonly string[]): string {
  const phrases = sources.map(phrase);
  return phrases.length === 1 ? `source:${phrases[0]!}` : `source:(${phrases.join(" OR ")})`;
}

/** As one condition among others. */
function grouped(query: string): string {
  const text = query.trim();
  return text === "" || text === "*" ? "" : `(${text})`;
}
