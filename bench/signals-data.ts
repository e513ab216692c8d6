// Signals as a busy year leaves them, made from a seed: documents as the engine stores them, people's triage beside. Written straight
// into the table.
import { SqlDriver } from "../host/store/driver.ts";
import { migrations } from "../host/store/migrations.ts";
import type { SignalDocument } from "../host/signal/document.ts";
import { Random } from "./random.ts";

export interface MadeSignal {
  readonly document: SignalDocument;
  readonly createdMs: number;
  readonly triage: {
    readonly state: "open" | "under_review" | "archived";
    readonly assignee?: { readonly uuid: string; readonly handle: string; readonly name: string };
    readonly reason: string;
    readonly reviewedMs?: number;
    readonly archivedMs?: number;
    readonly incidents: readonly number[];
    readonly cases: readonly string[];
  };
}

const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
const REASONS = ["none", "false_positive", "testing_or_maintenance", "remediated", "investigated_case_opened", "true_positive_benign", "true_positive_malicious", "other"];
const SOURCES = ["cloudtrail", "okta", "gcp", "kubernetes", "azure", "nginx", "auth", "github", "cloudflare", "windows"];
const TACTICS = ["TA0001-initial-access", "TA0003-persistence", "TA0004-privilege-escalation", "TA0005-defense-evasion", "TA0006-credential-access", "TA0007-discovery", "TA0008-lateral-movement", "TA0010-exfiltration", "TA0040-impact"];
const COUNTRIES = [["United States", "US"], ["France", "FR"], ["Germany", "DE"], ["Brazil", "BR"], ["India", "IN"], ["China", "CN"], ["Russia", "RU"], ["Japan", "JP"], ["Nigeria", "NG"], ["Türkiye", "TR"]] as const;
const NETWORKS = ["Amazon.com, Inc.", "Google LLC", "Deutsche Telekom AG", "Orange S.A.", "Hetzner Online GmbH", "Comcast Cable", "Tor Exit"];
const ACTIONS = ["ConsoleLogin", "CreateUser", "AttachUserPolicy", "PutBucketPolicy", "AssumeRole", "StopLogging", "GetSecretValue", "RunInstances", "DeleteTrail", "UpdateLoginProfile"];
const PLAYBOOK = [
  "## Goal", "Detect when an identity behaves in a way that its history does not explain.", "", "## Strategy",
  "This rule watches audit logs and raises a signal when the number of failures and successes of one identity passes its threshold.",
  "An attacker who guesses passwords leaves many failures before the first success.", "", "## Triage and response",
  "1. Find out whether the identity belongs to a person or a service.",
  "2. Contact the owner and ask whether they made the calls.",
  "3. If they did not, revoke the credentials, rotate the keys and look for what else was done with them.",
  "4. If they did, archive the signal as benign and consider a suppression.",
];
export const START_MS = Date.UTC(2026, 0, 1);
const YEAR_MS = 365 * 86_400_000;

export class SignalMaker {
  readonly #random: Random;
  readonly #rules: ReadonlyArray<{ readonly id: string; readonly name: string; readonly source: string; readonly tactic: string; readonly rank: number; readonly type: "log_detection" | "signal_correlation" | "workload_security"; readonly method: "threshold" | "new_value" | "impossible_travel" }>;
  readonly #people: ReadonlyArray<{ readonly uuid: string; readonly handle: string; readonly name: string }>;
  readonly #total: number;

  constructor(seed: number, total: number) {
    const random = (this.#random = new Random(seed));
    this.#total = total;
    this.#rules = Array.from({ length: 400 }, (_, i) => ({
      id: `${random.hex(3)}-${random.hex(3)}-${i.toString(36).padStart(3, "0")}`, name: `${random.pick(["Unusual", "Repeated", "First", "Suspicious", "Impossible"])} ${random.pick(ACTIONS)} on ${random.pick(SOURCES)} ${i}`,
      source: random.pick(SOURCES), tactic: random.pick(TACTICS), rank: random.skewed(5), type: random.pick(["log_detection", "log_detection", "log_detection", "signal_correlation", "workload_security"] as const),
      method: random.pick(["threshold", "threshold", "new_value", "impossible_travel"] as const),
    }));
    this.#people = Array.from({ length: 12 }, (_, i) => ({ uuid: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`, handle: `analyst${i}@example.com`, name: `Analyst ${i}` }));
  }

  /** Created in the order of their numbers. */
  make(number: number): MadeSignal {
    const random = this.#random;
    const rule = this.#rules[random.skewed(this.#rules.length)]!;
    const severity = SEVERITIES[rule.rank]!;
    const createdMs = START_MS + Math.floor((number / this.#total) * YEAR_MS) + random.below(20_000);
    const triggeredMs = createdMs - 200 - random.skewed(600_000);
    const firstMs = triggeredMs - random.skewed(3_600_000);
    const user = `user${random.skewed(40_000)}@example.com`;
    const ip = `${11 + random.below(180)}.${random.below(256)}.${random.below(256)}.${1 + random.below(254)}`;
    const [country, code] = COUNTRIES[random.skewed(COUNTRIES.length)]!;
    const host = `i-${random.below(8000).toString(16).padStart(8, "0")}`;
    const env = random.pick(["prod", "prod", "prod", "staging", "dev"]);
    const team = random.pick(["payments", "identity", "platform", "data", "web"]);
    const service = `svc-${random.skewed(120)}`;
    const action = random.pick(ACTIONS);
    const events = 1 + random.skewed(5000);
    const account = String(100_000_000_000 + random.below(60));
    const ruleTags = [`source:${rule.source}`, `tactic:${rule.tactic}`, `technique:T${1000 + rule.rank * 100 + (rule.name.length % 40)}`, "security:attack", "scope:identity"];
    const tags = [...ruleTags, `env:${env}`, `team:${team}`, `service:${service}`, `aws_account:${account}`, `region:${random.pick(["us-east-1", "eu-west-1", "ap-south-1"])}`, `version:1.${random.below(40)}.${random.below(10)}`];
    const group = { "@usr.id": user };
    const title = `${rule.name} - ${severity === "critical" ? "success after failures" : "many failures"}`;
    const message = [...PLAYBOOK, "", `Seen for ${user} from ${ip} (${country}) with ${action}.`].join("\n");
    const outcome = random.next() < 0.3 ? ["failure", "success"] : "failure";
    const document: SignalDocument = {
      id: `${(createdMs * 16).toString(36)}${random.hex(30)}`, rule_id: rule.id, rule_name: rule.name, case: "many failures", severity, group, first_seen: firstMs, last_seen: triggeredMs + random.skewed(7_200_000),
      events_matched: events, title, message, tags,
      details: {
        rule: { version: 1 + random.skewed(9), type: rule.type, method: rule.method, is_default: random.next() < 0.7, tags: ruleTags, data_source: "logs", window_ms: 300_000, keep_alive_ms: 3_600_000, max_duration_ms: 86_400_000 },
        case: { index: 0, name: "many failures", severity, condition: "failures > 10", notifications: [] },
        queries: [{ name: "failures", query: `source:${rule.source} @evt.outcome:failure`, aggregation: "count", distinct_fields: [], metrics: [], group_by: ["@usr.id"], events, distinct_values: [], value: events }],
        hosts: [host], services: [service], sources: [rule.source], tags,
        attributes: {
          usr: { id: user, name: user.split("@")[0]!, email: user }, network: { client: { ip, geoip: { country: { name: country, iso_code: code }, as: { name: random.pick(NETWORKS), number: 64_000 + random.below(400) } } } },
          evt: { name: action, outcome, category: "authentication" }, http: { useragent: `aws-cli/2.${random.below(15)}.${random.below(30)} Python/3.11 Linux/5.10`, status_code: random.pick([200, 401, 403]), method: "POST" },
          userIdentity: { type: "IAMUser", arn: `arn:aws:iam::${account}:user/${user}`, accountId: account }, requestID: random.hex(32), eventSource: `${rule.source}.example.com`, duration: random.below(5_000_000),
          ...(random.next() < 0.05 ? { threat_intel: { indicators_matched: ["IP"], results: [{ category: random.pick(["scanner", "tor", "botnet"]), intention: random.pick(["malicious", "suspicious"]) }] } } : {}),
        },
        high_cardinality: { attributes: events > 1000 ? ["trace_id"] : [], tags: [] }, env_decremented: false, triggered_at: triggeredMs, first_event_at: firstMs,
      },
      samples: [{ event_id: random.hex(24), query_index: 0, content: { timestamp: triggeredMs, status: "error", service, host, source: rule.source, message: `${action} failed for ${user} from ${ip}`, tags: [`env:${env}`], custom: { usr: { id: user }, network: { client: { ip } }, evt: { name: action, outcome: "failure" } } } }],
    };
    return { document, createdMs, triage: this.#triage(createdMs, number) };
  }

  #triage(createdMs: number, number: number): MadeSignal["triage"] {
    const random = this.#random;
    const isOld = number < this.#total * 0.9;
    const roll = random.next();
    const state = roll < (isOld ? 0.75 : 0.2) ? "archived" : roll < (isOld ? 0.8 : 0.4) ? "under_review" : "open";
    if (state === "open") return { state, reason: "none", incidents: [], cases: [] };
    const reviewedMs = createdMs + 60_000 + random.skewed(40_000_000);
    return {
      state, ...(random.next() < 0.9 ? { assignee: random.pick(this.#people) } : {}), reason: state === "archived" ? random.pick(REASONS) : "none", reviewedMs,
      ...(state === "archived" ? { archivedMs: reviewedMs + 60_000 + random.skewed(80_000_000) } : {}),
      incidents: random.next() < 0.02 ? [1 + random.below(500)] : [], cases: random.next() < 0.05 ? [`SEC-${1 + random.below(4000)}`] : [],
    };
  }
}

const INSERT = `
  INSERT INTO signals (id, rule_id, severity, first_seen, last_seen, events_matched, created_at, version, document, change_number, triage_state, assignee, archive_reason, state_updated_by, state_updated_at, first_under_review_at, last_archived_at, incident_ids, case_ids)
  VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, document = excluded.document, version = version + 1, change_number = excluded.change_number,
    triage_state = excluded.triage_state, assignee = excluded.assignee, archive_reason = excluded.archive_reason, state_updated_by = excluded.state_updated_by,
    first_under_review_at = excluded.first_under_review_at, last_archived_at = excluded.last_archived_at, incident_ids = excluded.incident_ids, case_ids = excluded.case_ids`;

/** Writes signals, in one transaction; those that are there already are changed. */
export function writeSignals(sql: SqlDriver, made: Iterable<MadeSignal>): void {
  sql.transaction(() => {
    let change = Number(sql.get("SELECT max((SELECT coalesce(max(change_number), 0) FROM signals), (SELECT number FROM signal_changes)) AS last")!.last);
    for (const { document, createdMs, triage } of made) {
      const by = triage.assignee ? JSON.stringify(triage.assignee) : null;
      sql.run(
        INSERT, document.id, document.rule_id, document.severity, document.first_seen, document.last_seen, document.events_matched, createdMs, JSON.stringify(document), ++change, triage.state, by, triage.reason,
        by, triage.archivedMs ?? triage.reviewedMs ?? null, triage.reviewedMs ?? null, triage.archivedMs ?? null, JSON.stringify(triage.incidents), JSON.stringify(triage.cases),
      );
    }
    // A server over the same file goes on from here.
    sql.run("UPDATE signal_changes SET number = ?", change);
  });
}

/** A database of so many signals. */
export function writeMany(path: string, count: number, seed = 7): void {
  const sql = SqlDriver.open(path, migrations);
  const maker = new SignalMaker(seed, count);
  for (let at = 0; at < count; at += 10_000) {
    writeSignals(sql, Array.from({ length: Math.min(10_000, count - at) }, (_, i) => maker.make(at + i)));
  }
  sql.close();
}
