import { hasShared, readShared } from "../support/shared.ts";
import { intakeRecord } from "../../host/intake/windows/event.ts";
import { fromJson } from "../../host/intake/windows/json.ts";
import type { Json } from "../../host/event/event.ts";
import type { Sent } from "./labelled-judge.ts";

/** Something others have labelled: one event, or the records of one recording, that must be told or must not. */
export interface Case {
  /** Their rule, or the kind of the recording; what is missed or told in error is listed by it. */
  readonly theirs: string;
  readonly test: string;
  /** Absent: nobody said. */
  readonly expected: boolean | undefined;
  readonly lines: readonly string[];
  readonly sent: Sent;
}

export interface LabelledSet {
  /** `folder/file` below ../shared/data. */
  readonly name: string;
  /** The pack that reads it; absent: none does, and it is only listed. */
  readonly pack?: string;
  /** Why none reads it. */
  readonly why?: string;
  /** Events whose answer hangs on a look-up that is not in them, or that are of another format; they are not judged. */
  readonly leftOut: number;
  readonly cases: readonly Case[];
}

function linesOf(file: string): string[] {
  return new TextDecoder().decode(readShared(`data/${file}`)).split("\n").filter((line) => line.trim() !== "");
}

interface PantherTest {
  readonly rule: string;
  readonly log_types: readonly string[];
  readonly test: string;
  readonly expected: boolean;
  readonly mocks: boolean;
  readonly event: Readonly<Record<string, unknown>>;
}

/** Members whose letters the other product's store made small, by source: neither Okta nor AWS writes them so. */
const smallNames: Readonly<Record<string, readonly string[]>> = {
  okta: ["eventType", "displayMessage", "legacyEventType", "debugContext", "authenticationContext", "securityContext"],
  cloudtrail: ["awsRegion", "eventID", "eventName", "eventSource", "eventTime", "eventType", "eventVersion"],
};

function respelled(event: PantherTest["event"], source: string): object {
  const names = new Map(smallNames[source]?.map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(Object.entries(event).map(([name, value]) => [names.get(name) ?? name, value]));
}

/** Pack and source by log type, of events of rules that read several. */
const byLogType: Readonly<Record<string, readonly [pack: string, source: string]>> = {
  "AWS.CloudTrail": ["cloudtrail", "cloudtrail"], "AWS.VPCDns": ["dns", "route53"], "Azure.Audit": ["azure", "azure.activedirectory"], "GCP.AuditLog": ["gcp", "gcp"],
  "GitHub.Audit": ["github", "github"], "Okta.SystemLog": ["okta", "okta"], "OnePassword.SignInAttempt": ["1password", "1password"],
};

type SourceOf = (test: PantherTest) => string | undefined;
const is = (source: string): SourceOf => () => source;
/** GKE's audit log is Google's own form, and the pack gcp's. */
const kubernetes: SourceOf = ({ event }) => ("protoPayload" in event ? "gcp" : "kubernetes.audit");
/** What is left of rules for several sources: records that say which is theirs. */
const standard: SourceOf = ({ event }) => byLogType[String(event.p_log_type)]?.[1];
/** Payloads of webhooks are another format than the audit log. */
const github: SourceOf = ({ log_types }) => (log_types.includes("GitHub.Audit") ? "github" : undefined);

const panther: ReadonlyArray<readonly [file: string, pack: string, sourceOf: SourceOf]> = [
  ["aws_cloudtrail", "cloudtrail", is("cloudtrail")], ["aws_guardduty", "aws-network", is("guardduty")], ["aws_vpc_flow", "aws-network", is("vpc")],
  ["aws_waf", "aws-edge", is("waf")], ["aws_s3", "aws-edge", is("s3")],
  ["azure_activity", "azure", is("azure.activitylogs")], ["azure_signin", "azure", is("azure.activedirectory")],
  ["gcp_audit", "gcp", is("gcp")], ["gcp_http_lb", "gcp", is("gcp")], ["gcp_k8s", "gcp", is("gcp")],
  ["github", "github", github], ["kubernetes", "kubernetes", kubernetes], ["microsoft", "microsoft-365", is("microsoft-365")],
  ["okta", "okta", is("okta")], ["onepassword", "1password", is("1password")], ["standard", "several", standard],
];

function pantherSet(file: string, pack: string, sourceOf: SourceOf): LabelledSet {
  const name = `labelled-panther/${file}_rules.jsonl.gz`;
  const tests = linesOf(name).map((line) => JSON.parse(line) as PantherTest);
  const cases = tests.flatMap((each): Case[] => {
    const source = each.mocks ? undefined : sourceOf(each);
    if (source === undefined) return [];
    return [{ theirs: each.rule, test: each.test, expected: each.expected, lines: [JSON.stringify(respelled(each.event, source))], sent: { source, format: "raw" } }];
  });
  return { name, pack, leftOut: tests.length - cases.length, cases };
}

function recording(pack: string, test: string, lines: readonly string[], sent: Sent): Case {
  return { theirs: `${pack} recording`, test, expected: true, lines, sent };
}

const windows = [
  "auditpol_system_user_auditpolicy_modification", "cmd_bitsadmin_download_psh_script", "cmd_psexec_lsa_secrets_dump", "cmd_psh_stop_netprofm_eventlog_before_reboot",
  "cmd_service_mod_fax", "covenant_dcsync_dcerpc_drsuapi_DsGetNCChanges", "covenant_psremoting_grunt", "empire_schtasks_creation_standard_user",
  "empire_scm_dll_hijack_ikeext", "metasploit_comsvcs_lsass_memory_dump", "psh_lsass_memory_dump_comsvcs",
];

function windowsSet(): LabelledSet {
  const cases = windows.map((file) => {
    const all = linesOf(`windows-otrf/${file}.jsonl.gz`);
    // Sysmon's events, which no rule reads, are left out of the large ones.
    const lines = (all.length > 5000 ? all.filter((line) => !line.includes("Sysmon/Operational")) : all).map((line) => fromJson(JSON.parse(line) as Json)).flatMap((event) => (event ? [JSON.stringify(intakeRecord(event))] : []));
    return recording("windows", file, lines, { source: "windows.events", format: "intake" });
  });
  return { name: "windows-otrf", pack: "windows", leftOut: 0, cases };
}

function linuxSet(): LabelledSet {
  const sent: Sent = { source: "auth", format: "syslog", arrivalMs: Date.UTC(2017, 4, 1) };
  return { name: "linux-auth-elastic", pack: "linux-auth", leftOut: 0, cases: [recording("linux-auth", "weeks of guessing at a host on the internet", linesOf("linux-auth-elastic/auth.log.gz"), sent)] };
}

function zeekSet(): LabelledSet {
  const lines = linesOf("zeek-apt29-day1/events.jsonl.gz");
  return { name: "zeek-apt29-day1", why: "no pack reads Zeek's logs", leftOut: 0, cases: [recording("zeek", "a day of emulated intrusion", lines, { source: "zeek", format: "intake" })] };
}

interface FalcoTrace {
  readonly trace: string;
  readonly first_line: number;
  readonly events: number;
  readonly falco_tests: ReadonlyArray<{ readonly detect: boolean; readonly rule_counts: Readonly<Record<string, number>> }>;
}

function falcoSet(): LabelledSet {
  const traces = JSON.parse(new TextDecoder().decode(readShared("data/k8s-audit-falco/traces.json"))) as readonly FalcoTrace[];
  const lines = linesOf("k8s-audit-falco/events.jsonl");
  const cases = traces.map(({ trace, first_line, events, falco_tests }): Case => ({
    theirs: Object.keys(falco_tests.find(({ detect }) => detect)?.rule_counts ?? {}).join(", ") || "quiet trace", test: trace.replace(".json", ""),
    expected: falco_tests.some(({ detect }) => detect), lines: lines.slice(first_line, first_line + events), sent: { source: "kubernetes.audit", format: "raw" },
  }));
  return { name: "k8s-audit-falco", pack: "kubernetes", leftOut: 0, cases };
}

/** Nobody labelled these samples: what is told of them is listed. */
function googleSet(): LabelledSet {
  const cases = linesOf("gcp-audit-google/events.jsonl").map((line, i): Case => ({ theirs: "sample", test: `entry ${i + 1}`, expected: undefined, lines: [line], sent: { source: "gcp", format: "raw" } }));
  return { name: "gcp-audit-google", pack: "gcp", leftOut: 0, cases };
}

/** Log types of theirs that a pack reads. */
const crowdsecSources: Readonly<Record<string, string>> = { nginx: "nginx", apache2: "apache", syslog: "auth", auditd: "auditd", laurel: "auditd", "k8s-audit": "kubernetes.audit" };

interface CrowdsecTest {
  readonly test: string;
  readonly log_type: string;
  readonly lines: readonly string[];
  readonly expected_overflows: readonly unknown[] | null;
}

function crowdsecSet(): LabelledSet {
  const tests = linesOf("labelled-crowdsec/tests.jsonl.gz").map((line) => JSON.parse(line) as CrowdsecTest);
  const cases = tests.flatMap(({ test, log_type, lines, expected_overflows }): Case[] => {
    const source = crowdsecSources[log_type];
    if (!source) return [];
    const format = log_type === "syslog" ? "syslog" : lines[0]!.startsWith("{") ? "intake" : "text";
    return [{ theirs: log_type, test, expected: (expected_overflows ?? []).length > 0, lines, sent: { source, format, arrivalMs: Date.UTC(2026, 2, 2) } }];
  });
  return { name: "labelled-crowdsec", pack: "web-access, linux-auth, kubernetes", leftOut: tests.length - cases.length, cases };
}

const others: ReadonlyArray<readonly [folder: string, read: () => LabelledSet]> = [
  ["windows-otrf", windowsSet], ["linux-auth-elastic", linuxSet], ["zeek-apt29-day1", zeekSet], ["k8s-audit-falco", falcoSet], ["gcp-audit-google", googleSet], ["labelled-crowdsec", crowdsecSet],
];

/** Every set by its name, read when it is asked for; `absent` where ../shared has none. */
export function labelledSets(): ReadonlyArray<{ readonly name: string; readonly read: (() => LabelledSet) | "absent" }> {
  const found = (folder: string, read: () => LabelledSet): (() => LabelledSet) | "absent" => (hasShared(`data/${folder}`) ? read : "absent");
  return [
    ...panther.map(([file, pack, sourceOf]) => ({ name: `labelled-panther/${file}`, read: found("labelled-panther", () => pantherSet(file, pack, sourceOf)) })),
    ...others.map(([name, read]) => ({ name, read: found(name, read) })),
  ];
}
