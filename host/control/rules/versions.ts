import { Type } from "typebox";
import type { RuleStore, StoredRuleVersion } from "../../store/rules.ts";
import { badRequest, notFound } from "../api-error.ts";
import { type Route, ok, route } from "../route.ts";
import { ruleAnswer, versionAnswer } from "./answer.ts";
import type { Catalogue, Entry } from "./catalogue.ts";
import { changesBetween, historyChange } from "./changes.ts";
import type { RuleEditor } from "./editor.ts";
import { type DiffLine, diffLines, sideBySide, unifiedText } from "./lines.ts";
import { Diff, History, Rule } from "./schemas.ts";

const BASE = "/api/v2/security_monitoring/rules/:rule_id";
const number = /^\d{1,9}$/;

/** What was, what has changed since, and back again. */
export function versionRoutes(store: RuleStore, catalogue: Catalogue, editor: RuleEditor): Route[] {
  const reading = { tag: "Rules", permission: "security_monitoring_rules_read" } as const;
  const entryOf = (id: string): Entry => {
    const entry = catalogue.find(id);
    if (!entry) throw notFound(`Threat detection rule not found: ${id}`);
    return entry;
  };
  const versionOf = ({ stored }: Entry, version: number): StoredRuleVersion => {
    const found = store.version(stored.id, version);
    if (!found) throw notFound(`Threat detection rule ${stored.id} has no version ${version}`);
    return found;
  };
  return [
    route({ ...reading, method: "GET", path: `${BASE}/version_history`, operationId: "getRuleVersionHistory", summary: "Versions of a rule, newest first by page: who made which, when, and what changed", answers: { 200: History }, refuses: [404], query: Type.Object({ "page[size]": Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })), "page[number]": Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })) }) },
      ({ params, query }) => {
        const entry = entryOf(params.rule_id!);
        const { id } = entry.stored;
        const { "page[size]": size = 10, "page[number]": page = 0 } = query;
        // One more, for what has changed since.
        const versions = store.versions(id, size + 1, size * page);
        const data = Object.fromEntries(versions.slice(0, size).map((version, i) => {
          const before = versions[i + 1];
          return [String(version.version), { rule: versionAnswer(id, version, entry.kind === "default"), changes: before ? changesBetween(before.document, version.document).map(historyChange) : [] }];
        }));
        return ok({ data: { id, type: "GetRuleVersionHistoryResponse", attributes: { count: store.versionCount(id), data } } });
      }),
    route({ ...reading, method: "GET", path: `${BASE}/versions/diff`, operationId: "getRuleVersionDiff", summary: "What differs between two versions: by field, and by line beside each other or as one text", answers: { 200: Diff }, refuses: [404], query: Type.Object({ from: Type.Integer({ minimum: 1 }), to: Type.Integer({ minimum: 1 }), mode: Type.Optional(Type.Enum(["split", "unified"])) }) },
      ({ params, query: { from, to, mode = "split" } }) => {
        const entry = entryOf(params.rule_id!);
        const [before, after] = [versionOf(entry, from), versionOf(entry, to)];
        const lines = diffLines(pretty(before), pretty(after));
        return ok({ data: { id: entry.stored.id, type: "rule_version_diff", attributes: { from, to, mode, authors: { from: before.author.handle, to: after.author.handle }, changes: changesBetween(before.document, after.document), ...shown(lines, mode) } } });
      }),
    route({ ...reading, permission: "security_monitoring_rules_write", method: "POST", path: `${BASE}/restore/:version`, operationId: "restoreSecurityMonitoringRule", summary: "Makes an old version the newest", answers: { 200: Rule }, refuses: [404, 409] },
      async (call) => {
        const { rule_id: id, version } = call.params;
        if (!number.test(version!)) throw badRequest(`version: ${JSON.stringify(version)} is no version`);
        const { entry } = await editor.restore(call, id!, Number(version));
        return ok(ruleAnswer(entry), entry.stored.version);
      }),
  ];
}

function pretty({ document }: StoredRuleVersion): string[] {
  return JSON.stringify(document, null, 2).split("\n");
}

function shown(lines: readonly DiffLine[], mode: "split" | "unified"): Readonly<Record<string, unknown>> {
  return mode === "split" ? { rows: sideBySide(lines) } : { lines, text: unifiedText(lines) };
}
