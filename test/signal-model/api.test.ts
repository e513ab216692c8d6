import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseQuery } from "../../host/query/parse.ts";
import { apiSignal } from "../../host/signal-model/api.ts";
import { untouched } from "../../host/signal-model/stored.ts";
import { apiTriage } from "../../host/signal-model/triage-api.ts";
import { aDocument, createdMs, stored } from "./support.ts";

const custom = (...of: Parameters<typeof apiSignal>): Record<string, unknown> => apiSignal(...of).attributes.custom as Record<string, unknown>;

describe("a signal as the API gives it", () => {
  test("[SI-01] [SI-05] [SI-24] all of it", () => {
    const rule = { id: "abc-def-ghi", name: "Failed logins", version: 3, type: "Log Detection", detectionMethod: "threshold", isDefaultRule: false, isDeprecated: false, tactics: ["TA0006-credential-access"], techniques: ["T1110-brute-force"] };
    expect(apiSignal(stored(aDocument()))).toEqual({
      id: "346b4bdf97af7ad2d08785e3", type: "signal",
      attributes: {
        timestamp: "2026-03-02T08:41:05.250Z", message: "%%%\nalice failed\n%%%", tags: ["security:attack", "env:prod"], status: "high", severity: "high", severity_id: 3,
        title: "Failed logins - burst", host: "host-1", service: ["sso"],
        custom: {
          usr: { id: "alice" }, network: { client: { ip: ["203.0.113.7", "198.51.100.9"] } },
          title: "Failed logins - burst", status: "high", hostname: "host-1", service: "sso",
          entities: ["@usr.id:alice", "@network.client.ip:203.0.113.7", "@network.client.ip:198.51.100.9", "host:host-1", "service:sso"],
          groupByPaths: ["@usr.id", "host"], groupByValues: { "@usr.id": "alice", host: "host-1" }, groupByValuesHash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
          internal_id: expect.stringMatching(/^abc-def-ghi-3-[\w-]{8}-[0-9a-f]{8}$/) as string,
          rule: { ...rule, tags: ["security:attack", "tactic:TA0006-credential-access", "technique:T1110-brute-force"], url: "/security/rules/abc-def-ghi" },
          triggeringRuleCase: { name: "burst", status: "high", condition: "a > 3", notifications: ["@slack-soc"], index: 1, caseStatus: "high" },
          queries: [{
            name: "a", query: "source:auth @evt.outcome:failure", aggregation: "count", distinctFields: [], metric: null, metrics: [], groupByPaths: ["@usr.id", "host"],
            aggregationDetails: { eventsCount: 4, distinctValues: [], value: 4 },
          }],
          relatedQuery: {
            from: "2026-03-02T08:36:00.000Z", to: "2026-03-02T08:43:00.000Z", track: "logs",
            query: '(source:auth @evt.outcome:failure) @usr.id:"alice" host:"host-1"', queries: { a: '(source:auth @evt.outcome:failure) @usr.id:"alice" host:"host-1"' },
          },
          relatedLogsQueryUrl: "/logs?query=(source%3Aauth%20%40evt.outcome%3Afailure)%20%40usr.id%3A%22alice%22%20host%3A%22host-1%22&from_ts=1772440560000&to_ts=1772440980000&live=false",
          samples: [{
            eventId: "e1", id: "e1", queryIndex: 0, trackKey: { type: "logs" },
            content: { timestamp: "2026-03-02T08:40:30.000Z", status: "info", service: "sso", host: "host-1", source: "auth", message: "login failure", tags: ["env:prod"], custom: { usr: { id: "alice" } }, attributes: { usr: { id: "alice" } } },
          }],
          env_decremented: false, first_event_at: "2026-03-02T08:40:30.000Z", triggered_at: "2026-03-02T08:41:00.000Z",
          workflow: {
            events_matched: 4, first_seen: "2026-03-02T08:41:00.000Z", last_seen: "2026-03-02T08:43:00.000Z", events_matched_per_query: { a: 4 },
            high_cardinality: { attributes: ["@file.path"], tags: ["pod"] }, rule,
            triage: {
              state: "open", assignee: { id: -1, name: "Unassigned", uuid: "" }, incidentIds: [], caseIds: [], version: 1, creator: { handle: "", name: "" }, updater: { handle: "", name: "" },
              archiveReason: "none", archiveComment: "",
            },
          },
        },
      },
    });
  });

  test("[RU-10] the message stands between its marks, or without them", () => {
    expect(apiSignal(stored(aDocument()), { wrapsMessage: false }).attributes.message).toBe("alice failed");
  });

  test("who triaged it, and when", () => {
    const ann = { uuid: "u-1", handle: "ann@example.com", name: "Ann" };
    const triage = {
      ...untouched, state: "archived", assignee: ann, archiveReason: "false_positive", archiveComment: "known scanner", archiveCommentBy: ann, archiveCommentMs: createdMs, stateUpdatedBy: ann,
      stateUpdatedMs: createdMs, firstUnderReviewMs: createdMs, lastArchivedMs: createdMs, incidentIds: [2066], caseIds: ["SEC-1"], version: 4,
    } as const;
    const at = "2026-03-02T08:41:05.250Z";
    const user = { id: 0, uuid: "u-1", handle: "ann@example.com", name: "Ann", icon: "" };
    expect((custom(stored(aDocument(), { triage })).workflow as Record<string, unknown>).triage).toEqual({
      state: "archived", assignee: user, incidentIds: [2066], caseIds: ["SEC-1"], version: 4, creator: { handle: "", name: "" }, updater: { handle: "ann@example.com", name: "Ann" },
      archiveReason: "false_positive", archiveComment: "known scanner", archiveCommentUser: user, archiveCommentTimestamp: at, stateUpdateTimestamp: at, firstUnderReviewAt: at, lastArchivedAt: at,
    });
    expect(apiTriage(triage)).toEqual({
      state: "archived", assignee: user, incident_ids: [2066], case_ids: ["SEC-1"], version: 4, archive_reason: "false_positive", archive_comment: "known scanner",
      archive_comment_timestamp: createdMs, archive_comment_user: user, state_update_timestamp: createdMs, state_update_user: user,
    });
    expect(apiTriage(untouched)).toMatchObject({ assignee: { id: -1, name: "Unassigned", uuid: "" }, incident_ids: [], state: "open" });
  });

  test("no attribute of a log takes the place of what is ours", () => {
    const attributes = JSON.parse('{"workflow":{"triage":{"state":"archived"}},"title":"owned","entities":["x"],"status":"critical","__proto__":{"admin":true},"usr":{"id":"alice"}}') as Record<string, never>;
    const found = custom(stored(aDocument({ details: { attributes } })));
    expect(found).toMatchObject({ title: "Failed logins - burst", status: "high", workflow: { triage: { state: "open" } }, attributes: { workflow: { triage: { state: "archived" } }, title: "owned", entities: ["x"], status: "critical" } });
    expect((found as { admin?: boolean }).admin).toBeUndefined();
    expect(JSON.stringify(found)).not.toContain("admin");
  });

  test("hostile values stay text: in the query, in the address, in all else", () => {
    const value = 'x" OR *:* -@a:"\\ \ud800 <script>&to_ts=0';
    const signal = apiSignal(stored(aDocument({ rest: { group: { "@usr.id": value, "odd key:*": "a b" }, message: value } })));
    const { relatedQuery: related, relatedLogsQueryUrl: url } = signal.attributes.custom as { relatedQuery: { query: string }; relatedLogsQueryUrl: string };
    const parsed = parseQuery(related.query);
    expect(parsed).toMatchObject({ ok: true });
    // One term beside the rule's own query for each field, and no more.
    expect(JSON.stringify(parsed).match(/"kind":"phrase"/g)).toHaveLength(2);
    expect(new URL(url, "http://localhost").searchParams.get("to_ts")).toBe("1772440980000");
    expect(new URL(url, "http://localhost").searchParams.get("query")).toBe(related.query.toWellFormed());
    expect(signal.attributes.message).toBe(`%%%\n${value}\n%%%`);
  });

  test("tags are two hundred at most", () => {
    expect(apiSignal(stored(aDocument({ details: { tags: Array.from({ length: 300 }, (_, i) => `k:${i}`) } }))).attributes.tags).toHaveLength(200);
  });

  test("a signal of an earlier version, stored without details, is one all the same", () => {
    const { details: _gone, ...document } = aDocument();
    const plain = stored({ ...document, samples: [{ message: "as received" }] });
    expect(apiSignal(plain).attributes).toMatchObject({
      status: "high", host: "host-1", tags: ["security:attack", "env:prod"],
      custom: { entities: ["@usr.id:alice", "host:host-1"], usr: { id: "alice" }, queries: [], samples: [{ content: { custom: { message: "as received" } } }], workflow: { rule: { id: "abc-def-ghi", version: 1 } } },
    });
    expect(custom(plain)).not.toHaveProperty("relatedQuery");
  });

  test("times beyond all calendars do not throw", () => {
    expect(() => apiSignal(stored(aDocument({ rest: { first_seen: 1e17, last_seen: -1e17 } }), { createdMs: Number.NaN }))).not.toThrow();
  });

  test.each([
    [["*"], '@usr.id:"alice" host:"host-1"'],
    [["source:a", "source:b"], '((source:a) OR (source:b)) @usr.id:"alice" host:"host-1"'],
    [["source:a", ""], '@usr.id:"alice" host:"host-1"'],
  ])("logs of the queries %j are found by %s", (texts, query) => {
    const [one] = aDocument().details!.queries;
    const found = custom(stored(aDocument({ details: { queries: texts.map((text, i) => ({ ...one!, name: `q${i}`, query: text })) } })));
    expect(found.relatedQuery).toMatchObject({ query });
  });

  test("what reads it needs no engine: neither threads nor WebAssembly nor a database are drawn in", () => {
    const script = `
      import { registerHooks } from "node:module";
      const seen = [];
      registerHooks({ resolve(specifier, context, next) { const found = next(specifier, context); seen.push(found.url); return found; } });
      await import(process.argv[1]);
      console.log(JSON.stringify(seen));`;
    const path = join(import.meta.dirname, "../../host/signal-model/api.ts");
    const seen = JSON.parse(execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script, path], { encoding: "utf8" })) as string[];
    expect(seen.filter((url) => /host\/(?:engine|batch|detect|store|serve)|node:(?:sqlite|worker_threads|fs)|assembly/.test(url))).toEqual([]);
    expect(seen.length).toBeLessThan(20);
  });
});
