import { Type } from "typebox";
import type { LogEvent } from "../../event/event.ts";
import { ProblemError } from "../../problem.ts";
import { matches } from "../../query/matches.ts";
import { parseQuery } from "../../query/parse.ts";
import { ruleNode } from "../../rule/select.ts";
import { type Suppression as SuppressionForm, readSuppressionsWire } from "../../rule/suppression.ts";
import type { SettingDocument } from "../../store/settings.ts";
import type { ControlContext } from "../context.ts";
import { type Change, changesBetween, historyChange } from "../rules/changes.ts";
import { RulePayload } from "../rules/schemas.ts";
import { type Route, type RouteAnswer, empty, ok, route } from "../route.ts";
import { type Entry, SettingKeeper } from "./keeper.ts";
import { type AskedRule, futureRule, knownRule } from "./rule-asked.ts";
import { OneSuppression, SuppressionCreate, SuppressionHistory, SuppressionUpdate, Suppressions } from "./schemas.ts";

export const SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions";
const ONE = `${SUPPRESSIONS}/:suppression_id`;
const sorts = ["name", "start_date", "expiration_date", "update_date", "creation_date", "enabled"] as const;
type Sort = (typeof sorts)[number];

export const readingSuppressions = { tag: "Suppressions", permission: "security_monitoring_suppressions_read" } as const;
export const writingSuppressions = { tag: "Suppressions", permission: "security_monitoring_suppressions_write" } as const;

export type SuppressionEntry = Entry<SuppressionForm>;

export function suppressionKeeper(context: ControlContext): SettingKeeper<SuppressionForm> {
  return new SettingKeeper<SuppressionForm>(context, {
    kind: "suppression", noun: "Suppression", isNameUnique: false, read: readSuppressionsWire, given: ({ suppressions = [] }) => suppressions,
    replaced: (setup, entries) => ({ ...setup, suppressions: entries.flatMap(({ form }) => (form ? [form] : [])) }),
  });
}

/** Datadog's calls for suppressions. */
export function suppressionRoutes(context: ControlContext, keeper: SettingKeeper<SuppressionForm>): Route[] {
  const one = (entry: SuppressionEntry): RouteAnswer => ok({ data: suppressionData(entry) }, entry.version);
  const affecting = (rule: AskedRule): RouteAnswer => ok({ data: keeper.entries().filter(({ form }) => form && matches(form.ruleNode, rule)).map(suppressionData) });
  return [
    route({
      ...readingSuppressions, method: "GET", path: SUPPRESSIONS, operationId: "listSecurityMonitoringSuppressions", summary: "Suppressions that a query names", answers: { 200: Suppressions },
      query: Type.Object({ query: Type.Optional(Type.String({ maxLength: 10_000 })), sort: Type.Optional(Type.Enum(sorts.flatMap((name): string[] => [name, `-${name}`]))), "page[size]": Type.Optional(Type.Integer({ minimum: -1, maximum: 1000 })), "page[number]": Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })) }),
    }, ({ query: { query = "", sort = "name", "page[size]": size = -1, "page[number]": page = 0 } }) => {
      const found = sorted(named(keeper.entries(), query), sort);
      const some = size < 0 ? found : found.slice(page * size, (page + 1) * size);
      return ok({ data: some.map(suppressionData), meta: { page: { pageNumber: size < 0 ? 0 : page, pageSize: size < 0 ? found.length : size, totalCount: found.length } } });
    }),
    route({ ...writingSuppressions, method: "POST", path: SUPPRESSIONS, operationId: "createSecurityMonitoringSuppression", summary: "Makes a suppression; the next match is held against it", body: SuppressionCreate, answers: { 200: OneSuppression }, refuses: [409] },
      async (call) => one(await keeper.create(call, cleared(call.body.data.attributes)))),
    route({ ...readingSuppressions, method: "GET", path: ONE, operationId: "getSecurityMonitoringSuppression", summary: "One suppression", answers: { 200: OneSuppression }, refuses: [404] },
      ({ params }) => one(keeper.get(params.suppression_id!))),
    route({ ...writingSuppressions, method: "PATCH", path: ONE, operationId: "updateSecurityMonitoringSuppression", summary: "Changes what is given; null clears a date", body: SuppressionUpdate, answers: { 200: OneSuppression }, refuses: [404, 409, 412] },
      async (call) => one(await keeper.change(call, call.params.suppression_id!, call.body.data.attributes))),
    route({ ...writingSuppressions, method: "DELETE", path: ONE, operationId: "deleteSecurityMonitoringSuppression", summary: "Takes a suppression away", answers: { 204: undefined }, refuses: [404, 412] },
      async (call) => {
        await keeper.remove(call, call.params.suppression_id!);
        return empty;
      }),
    route({ ...writingSuppressions, method: "POST", path: `${SUPPRESSIONS}/validation`, operationId: "validateSecurityMonitoringSuppression", summary: "Tells whether a suppression would be taken", body: SuppressionCreate, answers: { 204: undefined } },
      ({ body }) => {
        keeper.check(cleared(body.data.attributes));
        return empty;
      }),
    route({ ...readingSuppressions, method: "GET", path: `${SUPPRESSIONS}/rules/:rule_id`, operationId: "getSuppressionsAffectingRule", summary: "Suppressions whose rule query names the rule", answers: { 200: Suppressions }, refuses: [404] },
      ({ params }) => affecting(knownRule(context, params.rule_id!))),
    route({ ...readingSuppressions, method: "POST", path: `${SUPPRESSIONS}/rules`, operationId: "getSuppressionsAffectingFutureRule", summary: "The same for a rule that is not there yet", body: RulePayload, answers: { 200: Suppressions } },
      ({ body }) => affecting(futureRule(body))),
    route({ ...readingSuppressions, method: "GET", path: `${ONE}/version_history`, operationId: "getSuppressionVersionHistory", summary: "Versions of a suppression: who made which, when, and what changed", answers: { 200: SuppressionHistory }, refuses: [404], query: Type.Object({ "page[size]": Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })), "page[number]": Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })) }) },
      ({ params, query: { "page[size]": size = 100, "page[number]": page = 0 } }) => {
        const entry = keeper.get(params.suppression_id!);
        const versions = entry.stored ? keeper.store.versions(entry.id) : [];
        if (!entry.stored) return ok({ data: { id: entry.id, type: "suppression_version_history", attributes: { count: 1, data: { 1: { suppression: suppressionData(entry).attributes, changes: [] } } } } });
        const { stored } = entry;
        const data = Object.fromEntries(versions.slice(page * size, (page + 1) * size).map((each, i) => {
          const before = versions[page * size + i + 1];
          const then = { ...entry, version: each.version, document: each.document, stored: { ...stored, version: each.version, document: each.document, updatedMs: each.atMs, updatedBy: each.author } };
          return [String(each.version), { suppression: suppressionData(then).attributes, changes: before ? changesBetween(before.document, each.document).map((change: Change) => historyChange(change)) : [] }];
        }));
        return ok({ data: { id: entry.id, type: "suppression_version_history", attributes: { count: versions.length, data } } });
      }),
  ];
}

/** As Datadog's clients read it. */
export function suppressionData({ id, version, document, stored }: Pick<SuppressionEntry, "id" | "version" | "document" | "stored">): { readonly id: string; readonly type: "suppressions"; readonly attributes: Record<string, unknown> } {
  const { tags, start_date: start, expiration_date: expiration, ...rest } = document;
  return {
    id, type: "suppressions",
    attributes: {
      enabled: true, suppression_query: "", data_exclusion_query: "", ...rest, ...dateOf("start_date", start), ...dateOf("expiration_date", expiration),
      editable: stored !== undefined, tags: Array.isArray(tags) ? (tags as string[]).toSorted() : [], version,
      ...(stored ? { creation_date: stored.createdMs, creator: { handle: stored.createdBy.handle, name: stored.createdBy.name }, update_date: stored.updatedMs, updater: { handle: stored.updatedBy.handle, name: stored.updatedBy.name } } : {}),
    },
  };
}

/** Files write dates as texts too. */
function dateOf(name: string, value: unknown): Readonly<Record<string, number>> {
  const ms = typeof value === "string" ? Date.parse(value) : value;
  return typeof ms === "number" && Number.isFinite(ms) ? { [name]: ms } : {};
}

/** A date of `null` is none. */
export function cleared(document: SettingDocument): SettingDocument {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null && value !== undefined));
}

function named(entries: readonly SuppressionEntry[], query: string): readonly SuppressionEntry[] {
  if (query.trim() === "") return entries;
  const parsed = parseQuery(query);
  if (!parsed.ok) throw new ProblemError(parsed.problems);
  const node = ruleNode(parsed.node);
  return entries.filter((entry) => matches(node, listed(entry)));
}

/** A suppression as queries of the list see it: words of its texts; its members as tags beside its own. */
function listed(entry: SuppressionEntry): LogEvent {
  const { id, attributes } = suppressionData(entry);
  const { name, description = "", enabled, rule_query: rules, tags, creator } = attributes as Record<string, unknown> & { readonly tags: readonly string[]; readonly creator?: { readonly handle: string } };
  return { message: `${String(name)} ${String(description)}`, tags: [...tags, `id:${id}`, `name:${String(name)}`, `enabled:${String(enabled)}`, `rule_query:${String(rules)}`, `editable:${String(attributes.editable)}`, ...(creator ? [`creator:${creator.handle}`] : [])], attributes: {} };
}

function sorted(entries: readonly SuppressionEntry[], sort: string): SuppressionEntry[] {
  const [name, sign] = sort.startsWith("-") ? [sort.slice(1) as Sort, -1] : [sort as Sort, 1];
  const keyOf = (entry: SuppressionEntry): number | string => {
    const value = suppressionData(entry).attributes[name];
    return typeof value === "boolean" ? Number(value) : typeof value === "number" || typeof value === "string" ? value : Number.MAX_SAFE_INTEGER;
  };
  const order = (a: number | string, b: number | string): number => (a < b ? -1 : a > b ? 1 : 0);
  return entries.map((entry) => ({ entry, key: keyOf(entry) })).toSorted((a, b) => sign * order(a.key, b.key) || order(a.entry.id, b.entry.id)).map(({ entry }) => entry);
}
