import type { Json } from "../../event/event.ts";
import { type DecodeContext, type Decoded, type Endpoint, type IntakeRequest, Refused, type Router, jsonAnswer } from "../exchange.ts";
import { skipBlanks, valueEnd } from "../json-scan.ts";
import { RecordDraft, isMembers, textAt } from "../record.ts";
import { RecordLines } from "../record-lines.ts";
import { datadogKey, refusePlain } from "./datadog-manner.ts";

type Members = { readonly [name: string]: Json };

const results: readonly string[] = ["pass", "fail", "error", "skipped"];
const severities: readonly string[] = ["info", "low", "medium", "high", "critical"];
/** Levels that logs of findings have: `fail` read as one would be an emergency. */
const levels: Readonly<Record<string, string>> = { pass: "info", skipped: "info", fail: "warn", error: "error" };
const DEPTH = 64;

/**
 * `POST /api/v2/security/findings`: what scanners found of how hosts and clouds are set up, and of the weak points of what they run.
 *
 * One finding, a list of them, or `{data: [...]}` with the finding itself or its `attributes`: `{rule_id, name, status: pass | fail |
 * error | skipped, severity, type: misconfiguration | vulnerability, resource: {type, id, name}, frameworks: [{id, requirement,
 * control}], host, evaluated_at, tags}`. Each becomes a log: source `compliance`, or `vulnerability`; its status is `@result`, and
 * `@finding.kind` is host, cloud or vulnerability. A request with one that is none is refused as a whole.
 *
 * Source: platform.md 21.
 */
function decodeFindings({ body, arrivalMs }: IntakeRequest, { limits }: DecodeContext): Decoded {
  const lines = new RecordLines(limits);
  for (const [i, finding] of findingsOf(body).entries()) {
    if (!lines.add(recordOf(finding, `[${i}]`, arrivalMs))) throw new Refused("too-large", `finding [${i}] is over ${limits.recordBytes} bytes`);
  }
  return { ...lines.decoded(), answer: jsonAnswer(202, { data: { type: "findings", attributes: { accepted: lines.events } } }) };
}

/** Findings of this program's own as lines of the intake's shape. */
export function findingLines(findings: ReadonlyArray<Readonly<Record<string, unknown>>>, arrivalMs: number): Uint8Array {
  return Buffer.from(findings.map((finding) => `${recordOf(finding as Members, "", arrivalMs).text()}\n`).join(""));
}

function findingsOf(body: Buffer): Members[] {
  const start = skipBlanks(body, 0, body.length);
  const end = start < body.length ? valueEnd(body, start, body.length, DEPTH) : -1;
  if (end < 0 || skipBlanks(body, end, body.length) < body.length) throw new Refused("bad-body", "the body is no JSON");
  const value = JSON.parse(body.toString("utf8", start, end)) as Json;
  const list = Array.isArray(value) ? value : isMembers(value) && value.data !== undefined ? [value.data].flat() : [value];
  if (!list.length) throw new Refused("bad-body", "there is no finding");
  return list.map((each, i) => {
    if (!isMembers(each)) throw new Refused("bad-body", `[${i}] is no object`);
    return isMembers(each.attributes) ? each.attributes : each;
  });
}

function recordOf(finding: Members, place: string, arrivalMs: number): RecordDraft {
  const { resource, frameworks, tags, status, severity, type, evaluated_at: evaluatedAt } = finding;
  const need = (text: string | undefined, name: string): string => {
    if (text === undefined) throw new Refused("bad-body", `${place}.${name} is required`);
    return text;
  };
  const ruleId = need(textAt(finding, "rule_id"), "rule_id");
  const resourceId = need(textAt(finding, "resource", "id"), "resource.id");
  if (typeof status !== "string" || !results.includes(status)) throw new Refused("bad-body", `${place}.status is one of ${results.join(", ")}`);
  if (severity !== undefined && (typeof severity !== "string" || !severities.includes(severity))) throw new Refused("bad-body", `${place}.severity is one of ${severities.join(", ")}`);
  if (type !== undefined && type !== "misconfiguration" && type !== "vulnerability") throw new Refused("bad-body", `${place}.type is misconfiguration or vulnerability`);
  const timestamp = evaluatedAt === undefined ? arrivalMs : timeOf(evaluatedAt);
  if (timestamp === undefined) throw new Refused("bad-body", `${place}.evaluated_at is no time; write it as 2026-03-01T10:00:00Z`);
  const kind = type === "vulnerability" ? "vulnerability" : textAt(resource, "type") === undefined || textAt(resource, "type") === "host" ? "host" : "cloud";
  const name = textAt(finding, "name") ?? ruleId;
  const record = new RecordDraft();
  for (const [member, value] of Object.entries(finding)) if (!ours.has(member)) record.put(member, JSON.stringify(value));
  record.put("rule_id", JSON.stringify(ruleId)).put("name", JSON.stringify(name)).put("result", JSON.stringify(status)).put("finding", JSON.stringify({ kind }));
  return record.reserve({
    message: `${name}: ${status}, ${resourceId}`, host: textAt(finding, "host") ?? (kind === "host" ? resourceId : undefined), source: kind === "vulnerability" ? "vulnerability" : "compliance",
    status: levels[status]!, timestamp, tags: [...textsOf(tags), ...requirementTags(frameworks)],
  });
}

/** What a log has of its own. */
const ours: ReadonlySet<string> = new Set(["status", "host", "hostname", "source", "ddsource", "ddtags", "tags", "service", "message", "msg", "log", "timestamp", "@timestamp", "date", "evaluated_at", "finding", "result"]);

function textsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

/** `{id: "cis", requirement: "5.2"}` as `framework:cis` and `cis:5.2`, as rules have them. */
function requirementTags(frameworks: Json | undefined): string[] {
  return (Array.isArray(frameworks) ? frameworks : []).flatMap((each) => {
    const id = textAt(each, "id");
    const requirement = textAt(each, "requirement");
    return id === undefined ? [] : [`framework:${id}`, ...(requirement === undefined ? [] : [`${id}:${requirement}`])];
  });
}

function timeOf(value: Json): number | undefined {
  const ms = typeof value === "number" ? value : typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}

const findings: Endpoint = { input: "findings", key: datadogKey, decode: decodeFindings, refuse: refusePlain };

export const securityFindings: Router = (method, path) => (method === "POST" && path === "/api/v2/security/findings" ? findings : undefined);
