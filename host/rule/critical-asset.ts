import type { QueryNode } from "../query/tree.ts";
import { type Members, type Reader, join } from "./reader.ts";
import { severities } from "./rule.ts";
import { ruleNode } from "./select.ts";
import { type ReadSettings, orThrow, readSettings, requiredQuery, serverMembers, settingId } from "./settings-reader.ts";

const actions = ["increase", "decrease", "no-op", ...severities] as const;

/** What a critical asset does to the severity of signals of some rules that touch it. */
export interface CriticalAssetRule {
  readonly id: string;
  /** As it was written. */
  readonly wire: Members;
  readonly enabled: boolean;
  readonly ruleNode: QueryNode;
  readonly node: QueryNode;
  readonly action: (typeof actions)[number];
}

const known = [...serverMembers, "name", "description", "enabled", "query", "rule_query", "severity", "tags"];

/** API attribute objects of critical assets, with everything that is wrong with them. */
export function readCriticalAssetsWire(list: readonly unknown[]): ReadSettings<CriticalAssetRule> {
  return readSettings(list, "critical_assets", readAsset);
}

/** The enabled assets, or a `ProblemError`. */
export function readCriticalAssets(list: readonly unknown[]): CriticalAssetRule[] {
  return orThrow(readCriticalAssetsWire(list)).filter((asset) => asset.enabled);
}

function readAsset(members: Members, place: string, reader: Reader): CriticalAssetRule {
  reader.unknown(members, known, place);
  if (members.severity === undefined || members.severity === null) reader.problem("rule/missing-field", join(place, "severity"), "severity is missing", `use one of ${actions.join(", ")}`);
  return {
    id: settingId(members), wire: members,
    enabled: reader.flag(members, "enabled", place, true),
    ruleNode: ruleNode(requiredQuery(members, "rule_query", place, reader)),
    node: requiredQuery(members, "query", place, reader),
    action: reader.oneOf(members.severity, actions, join(place, "severity"), "no-op"),
  };
}
