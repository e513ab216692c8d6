import { Type } from "typebox";
import { enrichmentOf } from "../../event/enrichment/enrichment.ts";
import { type LoadedPack, loadPacks } from "../../packs.ts";
import type { Rule } from "../../rule/rule.ts";
import { PackStore } from "../../store/packs.ts";
import { notFound } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import { type Call, type RouteAnswer, empty, ok, route } from "../route.ts";
import { EnabledPacks } from "./enabled.ts";
import { type RuleFacts, coverageGaps, keptFacts, ruleFacts, stateOf } from "./facts.ts";
import { SourceLedger } from "./ledger.ts";
import { packActivations, packStatuses, seenBuckets } from "./status.ts";

const BASE = "/api/v2/security_monitoring/content_packs";
/** Sources are looked at for so long each minute. */
const LOOK_MS = 150;
/** Days that states are told of. */
const TOLD_DAYS = 8;

const reading = { tag: "Content packs", permission: "security_monitoring_rules_read" } as const;
const writing = { tag: "Content packs", permission: "security_monitoring_rules_write" } as const;

const State = Type.Object({
  id: Type.String(), type: Type.Literal("content_pack_state"),
  attributes: Type.Object({
    state: Type.Enum([...packStatuses]), status: Type.Enum([...packStatuses]), cp_activation: Type.Enum([...packActivations]), logs_last_collected: Type.Enum([...seenBuckets]),
    cloud_siem_index_incorrect: Type.Boolean(), filters_configured_for_logs: Type.Boolean(), logs_seen_from_any_index: Type.Boolean(), integration_installed_status: Type.Optional(Type.String()),
  }),
});
const States = Type.Object({ data: Type.Array(State), meta: Type.Object({ cloud_siem_index_incorrect: Type.Boolean(), sku: Type.String(), retention_months: Type.Integer(), coverage_gaps: Type.Array(Type.Object({ category: Type.String(), packs: Type.Array(Type.String()) })) }) });

/** A pack as others in this room's house are told of it. */
export interface ToldPack {
  readonly pack: LoadedPack;
  readonly isEnabled: boolean;
  readonly state: ReturnType<typeof stateOf>;
}

export interface PacksRoom extends Room {
  readonly part: EnabledPacks;
  readonly store: PackStore;
  /** All of them, after a short look at what came since the last. @param withinMs about so long */
  told(nowMs: number, withinMs: number): Promise<readonly ToldPack[]>;
}

/** Content packs: which are enabled, and whether each does what it is there for (platform spec 18). */
export function packsRoom(context: ControlContext): PacksRoom {
  const store = new PackStore(context.sql);
  const part = new EnabledPacks(context, store);
  const ledger = new SourceLedger(store, context.journal);
  let loading: Promise<readonly LoadedPack[]> | undefined;
  let ruled: { readonly running: readonly Rule[]; readonly rulesOf: EnabledPacks["rulesOf"]; readonly hasGeoip: boolean; readonly facts: Map<string, RuleFacts> } | undefined;
  const packs = (): Promise<readonly LoadedPack[]> => (loading ??= loadPacks());

  const factsOf = (all: readonly LoadedPack[]): Map<string, ReturnType<typeof keptFacts>> => {
    const { rules, securityFilters, pipelines = [] } = context.setup();
    const hasGeoip = enrichmentOf(pipelines)?.geoip !== undefined;
    const running = rules as readonly Rule[];
    const stored = new Map(store.list().map((each) => [each.name, each]));
    const judging = new Set(running.filter(({ isEnabled }) => isEnabled).map(({ id }) => id));
    const { rulesOf } = part;
    // For as long as the rules are the same, so is what they tell.
    if (ruled?.running !== running || ruled.rulesOf !== rulesOf || ruled.hasGeoip !== hasGeoip) ruled = { running, rulesOf, hasGeoip, facts: new Map() };
    const { facts } = ruled;
    return new Map(all.map((pack) => {
      const own = new Set(rulesOf.get(pack.name)?.map(({ id }) => id));
      const setup = { isEnabled: part.names.has(pack.name), stored: stored.get(pack.name), filters: securityFilters, rules: running.filter(({ id }) => own.has(id)), judging, hasGeoip };
      const ofRules = facts.get(pack.name) ?? ruleFacts(pack, setup);
      facts.set(pack.name, ofRules);
      return [pack.name, keptFacts(pack, setup, ofRules)];
    }));
  };
  const keep = (all: readonly LoadedPack[]): void => store.setFacts(new Map([...factsOf(all)].map(([name, facts]) => [name, JSON.stringify(facts)])));
  const look = async (all: readonly LoadedPack[], nowMs: number, withinMs = LOOK_MS): Promise<void> => {
    const health = new Map(all.flatMap((pack) => pack.sources.map((source) => [source, pack.health] as const)));
    const { pipelines = [], securityFilters } = context.setup();
    await ledger.look({ pipelines, filters: securityFilters, health }, nowMs, withinMs);
  };

  const told = async (nowMs: number, withinMs: number): Promise<readonly ToldPack[]> => {
    const all = await packs();
    await look(all, nowMs, withinMs);
    const days = store.days(Math.floor(nowMs / 86_400_000) - TOLD_DAYS);
    const facts = factsOf(all);
    return all.map((pack) => ({ pack, isEnabled: part.names.has(pack.name), state: stateOf(pack, facts.get(pack.name)!, days, nowMs) }));
  };
  const states = async ({ nowMs }: Pick<Call, "nowMs">): Promise<RouteAnswer> => {
    const all = await packs();
    await look(all, nowMs);
    const days = store.days(Math.floor(nowMs / 86_400_000) - TOLD_DAYS);
    const facts = factsOf(all);
    const data = all.map((pack) => {
      const { status, reasons, lastSeen, lastSeenMs, events, parseFailures, isFiltered } = stateOf(pack, facts.get(pack.name)!, days, nowMs);
      const { activation, idle, rules } = facts.get(pack.name)!;
      return {
        id: pack.name, type: "content_pack_state",
        attributes: {
          state: status, status, cp_activation: activation, logs_last_collected: lastSeen, cloud_siem_index_incorrect: false, filters_configured_for_logs: !isFiltered, logs_seen_from_any_index: lastSeenMs !== undefined,
          details: { type: "logs", cp_activation: activation, data_last_seen: lastSeen, filters_configured: !isFiltered, logs_seen_from_any_index: lastSeenMs !== undefined, siem_index_incorrect: false },
          title: pack.title, version: pack.version, category: pack.category ?? null, sources: pack.sources, reasons, last_seen: lastSeenMs === undefined ? null : new Date(lastSeenMs).toISOString(),
          logs_recently: events, parse_failure_percent: Math.round(parseFailures * 10) / 10, rules, idle_rules: idle,
        },
      };
    });
    return ok({ data, meta: { cloud_siem_index_incorrect: false, sku: "per_gb_analyzed", retention_months: 15, coverage_gaps: coverageGaps(all, part.names) } });
  };

  const decide = async (call: Call, decision: "activated" | "deactivated"): Promise<RouteAnswer> => {
    const name = call.params.content_pack_id!;
    const all = await packs();
    const pack = all.find((each) => each.name === name);
    if (!pack) throw notFound(`Content pack not found: ${name}`);
    const isEnabled = part.names.has(name);
    if (isEnabled === (decision === "activated")) return empty;
    context.sql.transaction(() => {
      store.decide(name, decision, call.principal.handle, call.nowMs);
      call.audit({ action: "modified", asset: { type: "content_pack", id: name, name: pack.title }, before: { enabled: isEnabled }, after: { enabled: !isEnabled } });
    });
    try {
      await context.refresh();
    } catch (error) {
      // Detection does not run with it: nothing has changed then.
      store.decide(name, isEnabled ? "activated" : "deactivated", call.principal.handle, call.nowMs);
      throw error;
    }
    noteVersions(all, call.nowMs);
    keep(all);
    return empty;
  };
  const noteVersions = (all: readonly LoadedPack[], nowMs: number): void => {
    for (const { name, version } of all) if (part.names.has(name)) store.noteVersion(name, version, nowMs);
  };

  const deciding = (method: "PUT" | "POST", decision: "activated" | "deactivated") => {
    const verb = decision === "activated" ? "activate" : "deactivate";
    const operationId = `${verb}ContentPack${method === "POST" ? "ByPost" : ""}`;
    const summary = decision === "activated" ? "Enables a content pack: its rules judge the next log" : "Disables a content pack: its rules judge no more; what is stored, and changes of its rules, stay";
    return route({ ...writing, method, path: `${BASE}/:content_pack_id/${verb}`, operationId, summary, params: Type.Object({ content_pack_id: Type.String({ maxLength: 200 }) }), answers: { 204: undefined }, refuses: [404] }, (call) => decide(call as Call, decision));
  };
  return {
    part, store, told,
    routes: [
      route({ ...reading, method: "GET", path: `${BASE}/states`, operationId: "getContentPacksStates", summary: "Content packs, whether they are enabled, and whether their logs come and are understood", answers: { 200: States } }, (call) => states(call)),
      ...(["PUT", "POST"] as const).flatMap((method) => [deciding(method, "activated"), deciding(method, "deactivated")]),
    ],
    async tend(nowMs) {
      if (part.isStale) await context.refresh();
      const all = await packs();
      noteVersions(all, nowMs);
      await look(all, nowMs);
      keep(all);
    },
  };
}
