import { Type } from "typebox";
import { type SecurityFilter, readSecurityFiltersWire } from "../../rule/security-filter.ts";
import type { SettingDocument } from "../../store/settings.ts";
import { ApiError } from "../api-error.ts";
import type { ControlContext, Setup } from "../context.ts";
import { type Route, type RouteAnswer, empty, ok, route } from "../route.ts";
import { type Entry, SettingKeeper } from "./keeper.ts";
import { FilterCreate, FilterUpdate, FilterVersions, Filters, OneFilter } from "./schemas.ts";

const FILTERS = "/api/v2/security_monitoring/configuration/security_filters";
const ONE = `${FILTERS}/:security_filter_id`;
/** Lets everything pass, from the beginning on. */
export const BUILT_IN = "all-ing-log";
const builtIn: SettingDocument = { name: "all ingested logs", query: "*", is_enabled: true, filtered_data_type: "logs", exclusion_filters: [] };
const installer = { userId: "", handle: "vespid", name: "vespid" };

const facts = { tag: "Security Filters" } as const;
const reading = { ...facts, permission: "security_monitoring_filters_read" } as const;
const writing = { ...facts, permission: "security_monitoring_filters_write" } as const;
const NOTHING_PASSES = "no security filter is enabled: no log is analysed, and no rule over logs opens a signal";

type FilterEntry = Entry<SecurityFilter>;

/** Makes the built-in filter where there is none yet. */
export function filterKeeper(context: ControlContext): SettingKeeper<SecurityFilter> {
  const keeper = new SettingKeeper<SecurityFilter>(context, {
    kind: "security_filter", noun: "Security filter", isNameUnique: true, read: readSecurityFiltersWire, given: ({ securityFilters = [] }) => securityFilters, replaced: withFilters,
  });
  context.sql.transaction(() => {
    if (keeper.store.get("security_filter", BUILT_IN)) return;
    keeper.store.create("security_filter", BUILT_IN, builtIn, installer, context.nowMs());
    keeper.store.noteConfiguration([{ ...builtIn, id: BUILT_IN, version: 1 }], context.nowMs());
  });
  return keeper;
}

/** Filters of files replace the built-in one, until somebody changes it: then it is meant. */
function isOut({ id, version }: FilterEntry, entries: readonly FilterEntry[]): boolean {
  return id === BUILT_IN && version === 1 && entries.some(({ stored }) => stored === undefined);
}

function withFilters(setup: Setup, entries: readonly FilterEntry[]): Setup {
  const forms = entries.flatMap((entry) => (entry.form && !isOut(entry, entries) ? [entry.form] : []));
  const passesAll = forms.some(({ enabled, node, exclusions }) => enabled && node.kind === "all" && !exclusions.length);
  const { securityFilters: _, ...rest } = setup;
  return passesAll ? rest : { ...rest, securityFilters: forms };
}

/** Datadog's calls for security filters: which logs are analysed at all. */
export function filterRoutes(context: ControlContext, keeper: SettingKeeper<SecurityFilter>): Route[] {
  const metaOf = (): { readonly meta?: { readonly warning: string } } => {
    const { securityFilters } = withFilters(context.setup(), keeper.entries());
    return securityFilters?.every(({ enabled }) => !enabled) ? { meta: { warning: NOTHING_PASSES } } : {};
  };
  const one = (entry: FilterEntry): RouteAnswer => ok({ data: filterData(entry, keeper.entries()), ...metaOf() }, entry.version);
  return [
    route({ ...reading, method: "GET", path: FILTERS, operationId: "listSecurityFilters", summary: "All security filters", answers: { 200: Filters } }, () => {
      const entries = keeper.entries();
      return ok({ data: entries.map((entry) => filterData(entry, entries)), ...metaOf() });
    }),
    route({ ...writing, method: "POST", path: FILTERS, operationId: "createSecurityFilter", summary: "Makes a filter; the next log is held against it", body: FilterCreate, answers: { 200: OneFilter }, refuses: [409] },
      async (call) => one(await keeper.create(call, call.body.data.attributes))),
    route({ ...reading, method: "GET", path: `${FILTERS}/versions`, operationId: "listSecurityFilterVersions", summary: "All filters as they stood, newest first", answers: { 200: FilterVersions }, query: Type.Object({ "page[size]": Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }) },
      ({ query: { "page[size]": size = 100 } }) => ok({
        data: keeper.store.configurations(size).map(({ version, atMs, filters }) => ({ id: String(version), type: "security_filters_configuration", attributes: { date: atMs, version, filters: filters.map((filter) => ({ id: filter.id, ...attributesOf(String(filter.id), Number(filter.version), filter) })) } })),
      })),
    route({ ...reading, method: "GET", path: ONE, operationId: "getSecurityFilter", summary: "One security filter", answers: { 200: OneFilter }, refuses: [404] },
      ({ params }) => one(keeper.get(params.security_filter_id!))),
    route({ ...writing, method: "PATCH", path: ONE, operationId: "updateSecurityFilter", summary: "Changes what is given", body: FilterUpdate, answers: { 200: OneFilter }, refuses: [404, 409, 412] },
      async (call) => {
        const { attributes } = call.body.data;
        const id = call.params.security_filter_id!;
        if (id === BUILT_IN && (attributes.query ?? "*") !== "*") throw new ApiError(400, "input_validation_error(Field 'data.attributes.query' is invalid: the built-in filter is for all logs; exclude some of them, or disable it)");
        return one(await keeper.change(call, id, attributes));
      }),
    route({ ...writing, method: "DELETE", path: ONE, operationId: "deleteSecurityFilter", summary: "Takes a filter away", answers: { 204: undefined }, refuses: [404, 412] },
      async (call) => {
        const id = call.params.security_filter_id!;
        if (id === BUILT_IN) throw new ApiError(403, "the built-in security filter cannot be deleted; disable it instead");
        await keeper.remove(call, id);
        return empty;
      }),
  ];
}

function filterData(entry: FilterEntry, entries: readonly FilterEntry[]): { readonly id: string; readonly type: "security_filters"; readonly attributes: Record<string, unknown> } {
  const attributes = attributesOf(entry.id, entry.version, entry.document);
  return { id: entry.id, type: "security_filters", attributes: isOut(entry, entries) ? { ...attributes, is_enabled: false } : attributes };
}

function attributesOf(id: string, version: number, document: SettingDocument): Record<string, unknown> {
  const { id: _, exclusion_filters: exclusions, ...rest } = document;
  const named = Array.isArray(exclusions) ? (exclusions as readonly { readonly name?: string; readonly query: string }[]).map(({ name = "", query }) => ({ name, query })) : [];
  return { is_enabled: true, filtered_data_type: "logs", name: "", ...rest, exclusion_filters: named, is_builtin: id === BUILT_IN, version };
}
