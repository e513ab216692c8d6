import { type CriticalAssetRule, readCriticalAssetsWire } from "../../rule/critical-asset.ts";
import { matches } from "../../query/matches.ts";
import type { ControlContext } from "../context.ts";
import { authorNumber } from "../rules/answer.ts";
import { type Route, type RouteAnswer, empty, ok, route } from "../route.ts";
import { type Entry, SettingKeeper } from "./keeper.ts";
import { knownRule } from "./rule-asked.ts";
import { AssetCreate, AssetUpdate, Assets, OneAsset } from "./schemas.ts";

const ASSETS = "/api/v2/security_monitoring/configuration/critical_assets";
const ONE = `${ASSETS}/:critical_asset_id`;
const facts = { tag: "Critical Assets" } as const;
const reading = { ...facts, permission: "security_monitoring_rules_read" } as const;
const writing = { ...facts, permission: "security_monitoring_rules_write" } as const;

type AssetEntry = Entry<CriticalAssetRule>;

export function assetKeeper(context: ControlContext): SettingKeeper<CriticalAssetRule> {
  return new SettingKeeper<CriticalAssetRule>(context, {
    kind: "critical_asset", noun: "Critical asset", isNameUnique: false, read: readCriticalAssetsWire, given: ({ criticalAssets = [] }) => criticalAssets,
    replaced: (setup, entries) => ({ ...setup, criticalAssets: entries.flatMap(({ form }) => (form?.enabled ? [form] : [])) }),
  });
}

/** Datadog's calls for critical assets, which move severities before the environment lowers them. */
export function assetRoutes(context: ControlContext, keeper: SettingKeeper<CriticalAssetRule>): Route[] {
  const one = (entry: AssetEntry): RouteAnswer => ok({ data: assetData(entry) }, entry.version);
  return [
    route({ ...reading, method: "GET", path: ASSETS, operationId: "listSecurityMonitoringCriticalAssets", summary: "All critical assets", answers: { 200: Assets } },
      () => ok({ data: keeper.entries().map(assetData) })),
    route({ ...writing, method: "POST", path: ASSETS, operationId: "createSecurityMonitoringCriticalAsset", summary: "Makes a critical asset; the next match is held against it", body: AssetCreate, answers: { 200: OneAsset }, refuses: [409] },
      async (call) => one(await keeper.create(call, { enabled: true, ...call.body.data.attributes }))),
    route({ ...reading, method: "GET", path: ONE, operationId: "getSecurityMonitoringCriticalAsset", summary: "One critical asset", answers: { 200: OneAsset }, refuses: [404] },
      ({ params }) => one(keeper.get(params.critical_asset_id!))),
    route({ ...writing, method: "PATCH", path: ONE, operationId: "updateSecurityMonitoringCriticalAsset", summary: "Changes what is given", body: AssetUpdate, answers: { 200: OneAsset }, refuses: [404, 409, 412] },
      async (call) => one(await keeper.change(call, call.params.critical_asset_id!, call.body.data.attributes))),
    route({ ...writing, method: "DELETE", path: ONE, operationId: "deleteSecurityMonitoringCriticalAsset", summary: "Takes a critical asset away", answers: { 204: undefined }, refuses: [404, 412] },
      async (call) => {
        await keeper.remove(call, call.params.critical_asset_id!);
        return empty;
      }),
    route({ ...reading, method: "GET", path: `${ASSETS}/rules/:rule_id`, operationId: "getCriticalAssetsAffectingRule", summary: "Critical assets whose rule query names the rule", answers: { 200: Assets }, refuses: [404] },
      ({ params }) => {
        const rule = knownRule(context, params.rule_id!);
        return ok({ data: keeper.entries().filter(({ form }) => form && matches(form.ruleNode, rule)).map(assetData) });
      }),
  ];
}

function assetData({ id, version, document, stored }: AssetEntry): { readonly id: string; readonly type: "critical_assets"; readonly attributes: Record<string, unknown> } {
  const { tags, ...rest } = document;
  return {
    id, type: "critical_assets",
    attributes: {
      enabled: true, ...rest, editable: stored !== undefined, tags: Array.isArray(tags) ? (tags as string[]).toSorted() : [], version,
      ...(stored ? {
        creation_author_id: authorNumber(stored.createdBy), creation_date: stored.createdMs, creator: { handle: stored.createdBy.handle, name: stored.createdBy.name },
        update_author_id: authorNumber(stored.updatedBy), update_date: stored.updatedMs, updater: { handle: stored.updatedBy.handle, name: stored.updatedBy.name },
      } : {}),
    },
  };
}
