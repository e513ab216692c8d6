import { randomUUID } from "node:crypto";
import { Type } from "typebox";
import { writeRuleWire } from "../../rule/wire-write.ts";
import { RuleStore, type RuleDocument } from "../../store/rules.ts";
import { badRequest, notFound } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import { within } from "../logs/room.ts";
import { type Route, type RouteAnswer, empty, ok, route } from "../route.ts";
import { lintLine, ruleAnswer, withoutServers } from "./answer.ts";
import { readRules, ruleArchive } from "./archive.ts";
import { Catalogue, type Entry, judging } from "./catalogue.ts";
import { RuleCheck } from "./check.ts";
import { type Edited, RuleEditor } from "./editor.ts";
import { findRules, ruleSorts, sortRules } from "./find.ts";
import { Canaries } from "./health.ts";
import { preview } from "./preview.ts";
import { BulkConvert, BulkDelete, BulkDeleted, BulkExport, CloneRequest, ConvertResponse, Imported, PreviewRequest, PreviewResponse, Rule, RuleChange, RuleHealth, RulePayload, Rules, TestRequest, TestResponse } from "./schemas.ts";
import { terraformText } from "./terraform.ts";
import { testRule } from "./unit-test.ts";
import { versionRoutes } from "./versions.ts";

const BASE = "/api/v2/security_monitoring/rules";
const ONE = `${BASE}/:rule_id`;
const MOST_IMPORT_BYTES = 20 * 1024 * 1024;
/** Id a rule has that is looked at only. */
const NOWHERE = "new-new-new";

const reading = { tag: "Rules", permission: "security_monitoring_rules_read" } as const;
const writing = { tag: "Rules", permission: "security_monitoring_rules_write" } as const;

/** Detection rules: those of packs and files, with what was changed of them, and the API's own. */
export function rulesRoom(context: ControlContext): Room {
  const store = new RuleStore(context.sql);
  const catalogue = new Catalogue(context, store);
  const check = new RuleCheck(context);
  const canaries = new Canaries();
  const editor = new RuleEditor(context, store, catalogue, check);

  const entryOf = (id: string, otherwise?: string): Entry => {
    const entry = catalogue.find(id);
    if (!entry) throw notFound(otherwise);
    return entry;
  };
  const entriesOf = (ids: readonly string[]): Entry[] => [...new Set(ids)].map((id) => entryOf(id, `Threat detection rule not found: ${id}`));
  /** As it runs now, with tables its rule filters by. */
  const setupFor = (document: RuleDocument): ReturnType<ControlContext["setup"]> => ({ ...context.setup(), referenceTables: check.tablesOf([check.rule(document, { id: NOWHERE, version: 1, isDefault: false }).rule]) });
  const tested = async (document: RuleDocument, payloads: readonly unknown[] = []): Promise<RouteAnswer> => ok({ results: await testRule(document, payloads, setupFor(document)) });

  const routes: Route[] = [
    route({ ...reading, method: "GET", path: BASE, operationId: "listSecurityMonitoringRules", summary: "Rules that a query names", answers: { 200: Rules }, query: Type.Object({ "page[size]": Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })), "page[number]": Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })), query: Type.Optional(Type.String({ maxLength: 10_000 })), sort: Type.Optional(Type.Enum(ruleSorts)) }) },
      ({ query: { "page[size]": size = 10, "page[number]": page = 0, query = "", sort = "-creation_date" } }) => {
        const all = catalogue.entries();
        const found = sortRules(findRules(all, query), sort);
        return ok({ data: found.slice(page * size, (page + 1) * size).map(ruleAnswer), meta: { page: { total_count: all.length, total_filtered_count: found.length }, not_judging: catalogue.faultCount } });
      }),
    route({ ...reading, method: "GET", path: `${BASE}/health`, operationId: "getRulesHealth", summary: "Of every rule that judges: do its own tests show that it can fire, and what it took of detection since the server started", answers: { 200: RuleHealth }, isSearch: true },
      async ({ principal }) => {
        const setup = context.setup();
        const found = await canaries.of(setup);
        // Of logs that one may not see nothing is told, their number neither.
        const work = principal.restriction ? undefined : context.ruleWork();
        const all = work ? [...work.matches.values()].reduce((sum, count) => sum + count, 0) : 0;
        return ok({
          data: [...found].map(([id, { state, reason }]) => {
            const matches = work?.matches.get(id) ?? 0;
            return { id, type: "rule_health", attributes: { canary: state, ...(reason === undefined ? {} : { reason }), ...(work ? { matches, share: all ? matches / all : 0 } : {}) } };
          }),
          meta: work ? { since: new Date(work.sinceMs).toISOString(), events: work.events, matches: all } : {},
        });
      }),
    route({ ...writing, method: "POST", path: BASE, operationId: "createSecurityMonitoringRule", summary: "Makes a rule; the next log is judged by it", body: RulePayload, answers: { 200: Rule } },
      async (call) => edited(await editor.create(call, call.body))),
    route({ ...reading, method: "GET", path: ONE, operationId: "getSecurityMonitoringRule", summary: "One rule", answers: { 200: Rule }, refuses: [404] },
      ({ params }) => {
        const entry = entryOf(params.rule_id!);
        return ok(ruleAnswer(entry), entry.stored.version);
      }),
    route({ ...writing, method: "PUT", path: ONE, operationId: "updateSecurityMonitoringRule", summary: "Changes what is given of a rule; of default rules name, message, severities, notifications, query extensions, tags and whether they are enabled", body: RuleChange, answers: { 200: Rule }, refuses: [404, 412] },
      async (call) => edited(await editor.update(call, call.params.rule_id!, call.body as RuleDocument))),
    route({ ...writing, method: "DELETE", path: ONE, operationId: "deleteSecurityMonitoringRule", summary: "Takes a rule away, with its versions", answers: { 204: undefined }, refuses: [404, 412] },
      async (call) => {
        await editor.delete(call, call.params.rule_id!);
        return empty;
      }),
    route({ ...writing, method: "POST", path: `${ONE}/clone`, operationId: "cloneSecurityMonitoringRule", summary: "Makes a rule of one's own of any other, disabled unless asked for", body: CloneRequest, isBodyOptional: true, answers: { 200: Rule }, refuses: [404] },
      async (call) => edited(await editor.clone(call, call.params.rule_id!, call.body ?? {}))),
    route({ ...writing, method: "POST", path: `${BASE}/validation`, operationId: "validateSecurityMonitoringRule", summary: "Tells whether a rule would be taken", body: RulePayload, answers: { 204: undefined } },
      async ({ body }) => {
        const { rule } = check.rule(withoutServers(body), { id: NOWHERE, version: 1, isDefault: false });
        await check.together([...judging(catalogue.entries()), rule]);
        return empty;
      }),
    route({ ...writing, method: "POST", path: `${BASE}/test`, operationId: "testSecurityMonitoringRule", summary: "Tells for logs whether a query of a rule matches them as expected", body: TestRequest, answers: { 200: TestResponse }, refuses: [404] },
      async ({ body }) => {
        if (!body.rule) throw badRequest("rule: the rule is missing");
        return await tested(withoutServers(body.rule), body.ruleQueryPayloads);
      }),
    route({ ...writing, method: "POST", path: `${ONE}/test`, operationId: "testExistingSecurityMonitoringRule", summary: "The same of a rule that is there", body: TestRequest, answers: { 200: TestResponse }, refuses: [404] },
      async ({ params, body }) => await tested(withoutServers(entryOf(params.rule_id!).rule.wire), body.ruleQueryPayloads)),
    route({ ...reading, permission: "logs_read_data", isSearch: true, method: "POST", path: `${BASE}/preview`, operationId: "previewSecurityMonitoringRule", summary: "The last logs that a rule's queries match, and how many there are", body: PreviewRequest, answers: { 200: PreviewResponse } },
      async ({ body, principal, nowMs }) => {
        const { rule, queries, ...bounds } = body;
        const document = rule && withoutServers(rule);
        return ok({ data: await preview({ ...bounds, ...(document ? { rule: document } : { queries: (queries ?? []) as RuleDocument[] }) }, context.logSearch(), document ? setupFor(document) : context.setup(), within(principal), nowMs) });
      }),
    route({ ...writing, method: "POST", path: `${BASE}/convert`, operationId: "convertSecurityMonitoringRuleFromJSONToTerraform", summary: "A rule as text for Terraform", body: RulePayload, answers: { 200: ConvertResponse }, refuses: [404] },
      ({ body }) => {
        const { rule } = check.rule(withoutServers(body), { id: NOWHERE, version: 1, isDefault: false });
        return ok({ terraformContent: terraformText(writeRuleWire(rule)) });
      }),
    route({ ...reading, method: "GET", path: `${ONE}/convert`, operationId: "convertExistingSecurityMonitoringRule", summary: "The same of a rule that is there", answers: { 200: ConvertResponse }, refuses: [404] },
      ({ params }) => {
        const entry = entryOf(params.rule_id!);
        return ok({ ruleId: entry.stored.id, terraformContent: terraformOf(entry) });
      }),
    route({ ...reading, method: "POST", path: `${BASE}/convert/bulk`, operationId: "bulkConvertExistingSecurityMonitoringRules", summary: "A ZIP of rules as text for Terraform", body: BulkConvert, answers: { 200: undefined }, refuses: [404] },
      ({ body }) => zip(ruleArchive(entriesOf(body.data.attributes.ruleIds).map((entry) => ({ name: entry.rule.name, text: terraformOf(entry) })), "tf"))),
    route({ ...reading, method: "POST", path: `${BASE}/bulk_export`, operationId: "bulkExportSecurityMonitoringRules", summary: "A ZIP of rules, a JSON file each", body: BulkExport, answers: { 200: undefined }, refuses: [404] },
      ({ body }) => zip(ruleArchive(entriesOf(body.data.attributes.ruleIds).map((entry) => ({ name: entry.rule.name, text: `${JSON.stringify(ruleAnswer(entry), null, 2)}\n` })), "json"))),
    route({ ...writing, method: "POST", path: `${BASE}/bulk_import`, operationId: "bulkImportSecurityMonitoringRules", summary: "Takes rules as JSON, YAML or a ZIP of such files, all or none; those of an id that a rule of the API has become its next version", bytes: { type: "application/octet-stream", most: MOST_IMPORT_BYTES }, answers: { 200: Imported }, refuses: [413] },
      async (call) => ok({ data: (await editor.import(call, await readRules(call.body as Buffer))).map((each) => edited(each).body) })),
    route({ ...writing, method: "DELETE", path: `${BASE}/bulk_delete`, operationId: "bulkDeleteSecurityMonitoringRules", summary: "Takes rules away, as far as they may be", body: BulkDelete, answers: { 200: BulkDeleted }, refuses: [404] },
      async (call) => {
        const { deleted, failed } = await editor.deleteSome(call, call.body.data.attributes.ruleIds);
        return ok({ data: { id: randomUUID(), type: "bulk_delete_response", attributes: { deletedRules: deleted, failedRules: failed } } });
      }),
    ...versionRoutes(store, catalogue, editor),
  ];
  return { routes, part: catalogue, tend: (nowMs) => editor.tend(nowMs), close: () => editor.settled() };
}

function edited({ entry, lint }: Edited): RouteAnswer {
  return ok({ ...ruleAnswer(entry), lint: lint.map(lintLine) }, entry.stored.version);
}

function terraformOf(entry: Entry): string {
  return terraformText({ ...ruleAnswer(entry), name: entry.rule.name, message: entry.rule.message });
}

function zip(body: Buffer): RouteAnswer {
  return { status: 200, body, type: "application/zip", headers: { "content-disposition": 'attachment; filename="rules.zip"' } };
}
