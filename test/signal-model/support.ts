import type { SignalDocument } from "../../host/signal/document.ts";
import { type StoredSignal, untouched } from "../../host/signal-model/stored.ts";

export const createdMs = Date.parse("2026-03-02T08:41:05.250Z");

/** A signal with details, as detection stores it. */
export function aDocument(more: { readonly details?: Partial<NonNullable<SignalDocument["details"]>>; readonly rest?: Partial<SignalDocument> } = {}): SignalDocument {
  return {
    id: "346b4bdf97af7ad2d08785e3", rule_id: "abc-def-ghi", rule_name: "Failed logins", case: "burst", severity: "high", group: { "@usr.id": "alice", host: "host-1" },
    first_seen: Date.parse("2026-03-02T08:41:00Z"), last_seen: Date.parse("2026-03-02T08:43:00Z"), events_matched: 4, title: "Failed logins - burst", message: "alice failed",
    tags: ["security:attack", "env:prod"],
    details: {
      rule: {
        version: 3, type: "log_detection", method: "threshold", is_default: false, tags: ["security:attack", "tactic:TA0006-credential-access", "technique:T1110-brute-force"],
        data_source: "logs", window_ms: 300_000, keep_alive_ms: 3_600_000, max_duration_ms: 86_400_000,
      },
      case: { index: 1, name: "burst", severity: "high", condition: "a > 3", notifications: ["@slack-soc"] },
      queries: [{ name: "a", query: "source:auth @evt.outcome:failure", aggregation: "count", distinct_fields: [], metrics: [], group_by: ["@usr.id", "host"], events: 4, distinct_values: [], value: 4 }],
      hosts: ["host-1"], services: ["sso"], sources: ["auth"], tags: ["security:attack", "env:prod"],
      attributes: { usr: { id: "alice" }, network: { client: { ip: ["203.0.113.7", "198.51.100.9"] } } },
      high_cardinality: { attributes: ["file.path"], tags: ["pod"] }, env_decremented: false,
      triggered_at: Date.parse("2026-03-02T08:41:00Z"), first_event_at: Date.parse("2026-03-02T08:40:30Z"), ...more.details,
    },
    samples: [{
      event_id: "e1", query_index: 0,
      content: { timestamp: Date.parse("2026-03-02T08:40:30Z"), status: "info", service: "sso", host: "host-1", source: "auth", message: "login failure", tags: ["env:prod"], custom: { usr: { id: "alice" } } },
    }],
    ...more.rest,
  };
}

export function stored(document: SignalDocument, more: Partial<StoredSignal> = {}): StoredSignal {
  return {
    id: document.id, ruleId: document.rule_id, severity: document.severity, firstSeenMs: document.first_seen, lastSeenMs: document.last_seen, eventsMatched: document.events_matched,
    createdMs, version: 1, changeNumber: 1, triage: untouched, document: JSON.stringify(document), ...more,
  };
}
