import { hash } from "node:crypto";
import type { Problem } from "../../problem.ts";
import { readRuleWire } from "../../rule/wire.ts";
import { writeRuleWire } from "../../rule/wire-write.ts";
import type { RuleAuthor, RuleDocument, StoredRule, StoredRuleVersion } from "../../store/rules.ts";
import { type Entry, isDeprecated } from "./catalogue.ts";
import { deletionMs, deprecationMs } from "./deprecation.ts";

type Wire = Record<string, unknown>;

/** Members of answers that the server alone says; in a request they are looked over. */
const servers: ReadonlySet<string> = new Set([
  "id", "version", "createdAt", "creationAuthorId", "updatedAt", "updateAuthorId", "isDefault", "isDeleted", "isDeprecated", "creator", "updater", "defaultTags", "deletionDate", "lint", "faults",
]);

/** What a request says of a rule, without what the server says; members that are null are as good as absent. */
export function withoutServers(body: RuleDocument): RuleDocument {
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => !servers.has(name) && value !== null));
}

/** A rule as calls answer it (rule-api spec 2). */
export function ruleAnswer(entry: Entry): Wire {
  const { rule, stored, base, faults } = entry;
  const deprecatedMs = deprecationMs(rule.wire);
  return {
    ...(faults.length && !base ? { type: "log_detection", ...rule.wire, id: rule.id, version: rule.version } : writeRuleWire(rule)),
    message: rule.wire.message ?? "", isEnabled: rule.isEnabled, isDefault: entry.kind === "default", isDeleted: false, isDeprecated: isDeprecated(entry),
    ...(entry.kind === "default" ? { defaultTags: base!.tags } : {}),
    ...(deprecatedMs === undefined ? {} : { deletionDate: deletionMs(deprecatedMs) }),
    ...authorsOf(stored), version: stored.version,
    ...(faults.length ? { faults: faults.map(lintLine) } : {}),
  };
}

function authorsOf({ createdMs, createdBy, updatedMs, updatedBy, version }: StoredRule): Wire {
  const isUpdated = version > 1;
  return {
    createdAt: createdMs, creationAuthorId: authorNumber(createdBy), creator: { handle: createdBy.handle, name: createdBy.name },
    ...(isUpdated ? { updatedAt: updatedMs, updateAuthorId: authorNumber(updatedBy), updater: { handle: updatedBy.handle, name: updatedBy.name } } : {}),
  };
}

/** A version as its history tells it: the rule as it was, and who made it so. */
export function versionAnswer(id: string, { version, document, author, atMs }: StoredRuleVersion, isDefault: boolean): Wire {
  const read = readRuleWire({ ...document, id, version, isDefault });
  return {
    ...(read.ok ? writeRuleWire(read.rule) : { type: "log_detection", ...document, id, version }),
    isDefault, isDeleted: false, updatedAt: atMs, updateAuthorId: authorNumber(author), updater: { handle: author.handle, name: author.name },
  };
}

/** Datadog's authors are numbers: each of ours has one of its own, below 2^31; 0 is nobody. */
export function authorNumber({ userId }: RuleAuthor): number {
  return userId === "" ? 0 : Number.parseInt(hash("sha256", userId).slice(0, 8), 16) >>> 1;
}

export function lintLine({ code, place = "", message, hint }: Problem): Wire {
  return { code, place, message, ...(hint === undefined ? {} : { hint }) };
}
