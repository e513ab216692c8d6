import type { QueryNode } from "../query/tree.ts";
import { type Members, type Reader, join } from "./reader.ts";
import { type ReadSettings, orThrow, readSettings, requiredQuery, serverMembers, settingId } from "./settings-reader.ts";

/** Says which events are analysed at all. */
export interface SecurityFilter {
  readonly id: string;
  /** As it was written. */
  readonly wire: Members;
  readonly name: string;
  readonly enabled: boolean;
  readonly node: QueryNode;
  readonly exclusions: readonly QueryNode[];
}

const known = [...serverMembers, "name", "is_enabled", "is_builtin", "filtered_data_type", "query", "exclusion_filters"];

/** API attribute objects of security filters, with everything that is wrong with them. */
export function readSecurityFiltersWire(list: readonly unknown[]): ReadSettings<SecurityFilter> {
  return readSettings(list, "security_filters", readFilter);
}

/** The filters, or a `ProblemError`. */
export function readSecurityFilters(list: readonly unknown[]): SecurityFilter[] {
  return orThrow(readSecurityFiltersWire(list));
}

function readFilter(members: Members, place: string, reader: Reader): SecurityFilter {
  reader.unknown(members, known, place);
  reader.oneOf(members.filtered_data_type, ["logs"], join(place, "filtered_data_type"), "logs");
  return {
    id: settingId(members), wire: members,
    name: reader.text(members, "name", place),
    enabled: reader.flag(members, "is_enabled", place, true),
    node: requiredQuery(members, "query", place, reader),
    exclusions: reader.list(members, "exclusion_filters", place).map((value, i) => {
      const at = `${join(place, "exclusion_filters")}[${i}]`;
      const exclusion = reader.members(value, at);
      reader.unknown(exclusion, ["name", "query"], at);
      return requiredQuery(exclusion, "query", at, reader);
    }),
  };
}
