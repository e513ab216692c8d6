import { Type } from "typebox";
import { IntelFeeds } from "../../enrich/intel-feeds.ts";
import { type StixIndicator, readStix } from "../../enrich/stix.ts";
import type { IntelDetail } from "../../event/enrichment/intel-table.ts";
import { findText } from "../../event/enrichment/intel-find.ts";
import { IntelStore } from "../../store/intel.ts";
import { ApiError, badRequest } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import { ok, route } from "../route.ts";
import { Pace } from "./pace.ts";

const BASE = "/api/v2/security/threat-intel";
const MOST_BYTES = 50 * 1024 * 1024;
const PER_SECOND = 10;
const CATEGORY = "custom";
/** Expired indicators are kept so long: logs that come late are judged by their own time. */
const KEPT_MS = 30 * 86_400_000;
const MOST_INDICATORS = 1_000_000;

const Ingested = Type.Object({
  data: Type.Object({ type: Type.Literal("threat-intel-stix-ingest"), id: Type.String(), attributes: Type.Object({ added: Type.Integer(), unsupported: Type.Integer(), invalid: Type.Integer() }) }),
});
const Result = Type.Object({ indicator: Type.String(), type: Type.String(), category: Type.Optional(Type.String()), intention: Type.Optional(Type.String()), source: Type.Object({ name: Type.String() }) });
const Found = Type.Object({ data: Type.Object({ type: Type.Literal("threat-intel-lookup"), id: Type.String(), attributes: Type.Object({ value: Type.String(), results: Type.Array(Result) }) }) });
const Feeds = Type.Object({
  data: Type.Array(Type.Object({
    type: Type.Literal("threat-intel-feed"), id: Type.String(),
    attributes: Type.Object({ indicators: Type.Integer(), repeated: Type.Integer(), invalid: Type.Integer(), loaded_at: Type.Union([Type.String(), Type.Null()]), problem: Type.Union([Type.String(), Type.Null()]) }),
  })),
});

/** Threat intelligence: STIX in, what is known of a value, and how feeds fare. Detection looks events up in all of it. */
export function intelRoom(context: ControlContext): Room {
  const store = new IntelStore(context.sql);
  const feeds = context.intel ?? new IntelFeeds([], context.folder, context.nowMs);
  feeds.takeUploads(() => store.all());
  const pace = new Pace(PER_SECOND);
  return {
    routes: [
      route({
        method: "POST", path: `${BASE}/stix`, operationId: "ingestThreatIntelStix", summary: "Takes indicators of a STIX 2.1 bundle; objects sent again replace what they were, revoked ones go", tag: "Threat Intelligence",
        permission: "reference_tables_write", bytes: { type: "application/json", most: MOST_BYTES }, answers: { 200: Ingested }, refuses: [413],
      }, async (call) => {
        if (!pace.take(call.principal.applicationKeyId ?? call.principal.userId, call.nowMs)) throw new ApiError(429, `bundles are taken ${PER_SECOND} a second`, { headers: { "retry-after": "1", "x-ratelimit-reset": "1" } });
        const vendor = vendorOf(call.head.headers.ti_vendor);
        const bundle = readStix((call.body as Buffer).toString("utf8"));
        if ("problem" in bundle) throw badRequest(`${bundle.problem.message}; ${bundle.problem.hint}`);
        const { indicators, unsupported, invalid } = bundle;
        const had = store.all().length;
        if (had + indicators.reduce((sum, { values }) => sum + values.length, 0) > MOST_INDICATORS) throw badRequest(`at most ${MOST_INDICATORS} uploaded indicators are kept`);
        let added = 0;
        let changes = 0;
        context.sql.transaction(() => {
          for (const indicator of indicators) {
            const { id, isRevoked, values, expiresMs } = indicator;
            const detail = JSON.stringify(detailOf(indicator, vendor));
            const was = store.put(vendor, id, isRevoked ? [] : values.map((value) => ({ ...value, detail, expiresMs })), call.nowMs);
            if (!isRevoked) added++;
            if (was || !isRevoked) changes++;
          }
          if (changes) call.audit({ event: "Reference Table", action: "modified", asset: { type: "threat_intel", id: vendor, name: `threat_intel_stix_${vendor}` }, after: { added, unsupported, invalid, revoked: indicators.filter(({ isRevoked }) => isRevoked).length } });
        });
        if (changes) await taken();
        return ok({ data: { type: "threat-intel-stix-ingest", id: vendor, attributes: { added, unsupported, invalid } } });
      }),
      route({
        method: "GET", path: `${BASE}/lookup`, operationId: "lookUpThreatIntel", summary: "What is known of an address, a domain, a URL or a hash now", tag: "Threat Intelligence",
        permission: "reference_tables_read", query: Type.Object({ value: Type.String({ minLength: 1, maxLength: 4096 }) }), answers: { 200: Found },
      }, ({ query, nowMs }) => {
        const { table } = feeds;
        return ok({ data: { type: "threat-intel-lookup", id: query.value, attributes: { value: query.value, results: table ? findText(table, query.value.trim(), nowMs) : [] } } });
      }),
      route({
        method: "GET", path: `${BASE}/feeds`, operationId: "listThreatIntelFeeds", summary: "Feeds of the settings, and how their last reading went", tag: "Threat Intelligence", permission: "reference_tables_read", answers: { 200: Feeds },
      }, () => ok({
        data: feeds.states.map(({ name, indicators = 0, repeated = 0, invalid = 0, loadedMs, problem }) => ({
          type: "threat-intel-feed", id: name, attributes: { indicators, repeated, invalid, loaded_at: loadedMs === undefined ? null : new Date(loadedMs).toISOString(), problem: problem ?? null },
        })),
      })),
    ],
    part: { complete: (setup) => ({ ...setup, pipelines: feeds.complete(setup.pipelines ?? []) }) },
    tend: (nowMs) => store.release(nowMs - KEPT_MS),
  };

  async function taken(): Promise<void> {
    const { isChanged } = await feeds.load();
    if (isChanged) await context.refresh();
  }
}

function detailOf({ intention, additional }: StixIndicator, vendor: string): IntelDetail {
  return { category: CATEGORY, intention, source: { name: vendor }, ...(additional ? { additional_data: additional } : {}) };
}

const MOST_VENDOR_CHARS = 10;

function vendorOf(header: string | string[] | undefined): string {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? "";
  if (text === "") throw badRequest("the header ti_vendor is missing; it says whose indicators these are");
  return text.toLowerCase().replace(/[^a-z0-9]/g, "_").slice(0, MOST_VENDOR_CHARS);
}
