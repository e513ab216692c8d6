import { beforeAll, describe, expect, test } from "vitest";
import { createEngine, type Signal } from "../../host/index.ts";
import type { Json } from "../../host/event/event.ts";
import { normalizeEvent } from "../../host/event/normalize.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";
import { intakeRecord } from "../../host/intake/windows/event.ts";
import { fromJson } from "../../host/intake/windows/json.ts";
import { hasShared, readShared } from "../support/shared.ts";
import { loadKernel } from "../support/wasm.ts";
import { found, queriesOf } from "./cloud-support.ts";
import { ARRIVAL_MS, hostPack } from "./host-support.ts";

beforeAll(() => void loadKernel("simd"));

const names = ["kubernetes", "linux-auth", "windows", "web-access", "workload", "audit-trail", "cross-source"];
const packs = new Map(names.map((name) => [name, hostPack(name)]));
const rules = [...packs.values()].flatMap((pack) => pack.rules);
const pipelines = [...packs.values()].flatMap(({ pack }) => pack.pipelines);

function linesOf(file: string): string[] {
  return new TextDecoder().decode(readShared(`data/${file}`)).split("\n").filter((line) => line.trim() !== "");
}

interface Input {
  readonly lines: readonly string[];
  readonly source: string;
  readonly format?: "intake" | "text" | "syslog";
  readonly arrivalMs?: number;
}

/** All rules of all these packs over records as they come. */
async function judged(...inputs: readonly Input[]): Promise<readonly Signal[]> {
  const engine = await createEngine({ rules, pipelines });
  for (const { lines, source, format = "intake", arrivalMs = Date.UTC(2026, 2, 2) } of inputs) {
    for (let at = 0; at < lines.length; at += 2000) await engine.push(new TextEncoder().encode(`${lines.slice(at, at + 2000).join("\n")}\n`), { format, source, arrivalMs });
  }
  await engine.close();
  return engine.finalSignals();
}

/** `rule severity` and how many signals, sorted; printed under the source's name. */
function told(what: string, signals: readonly Signal[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { ruleId, severity } of signals) counts[`${ruleId} ${severity}`] = (counts[`${ruleId} ${severity}`] ?? 0) + 1;
  const sorted = Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  process.stdout.write(`${what}: ${Object.entries(sorted).map(([name, count]) => `${name} x${count}`).join(", ") || "nothing"}\n`);
  return sorted;
}

/** All queries of the pack over one record. */
function namesOf(packName: string, record: Json): string[] {
  const { pack, rules: own } = packs.get(packName)!;
  const event = runPipelines(normalizeEvent(record, { format: "intake", source: pack.sources[0]! }), pack.pipelines, ARRIVAL_MS);
  return found(own.flatMap(queriesOf), event);
}

describe.skipIf(!hasShared("data/windows-otrf"))("Windows under attack (skipped where the data is not there)", () => {
  // What the recordings are of stands in their name; clearing the log is how most of them begin.
  test.each<[string, Record<string, number>]>([
    ["auditpol_system_user_auditpolicy_modification", { "win-audit-log-cleared high": 1 }],
    ["cmd_bitsadmin_download_psh_script", { "win-audit-log-cleared high": 1, "win-suspicious-process high": 1 }],
    ["cmd_psexec_lsa_secrets_dump", { "win-audit-log-cleared high": 1, "win-service-or-task high": 1, "win-suspicious-process critical": 1 }],
    ["cmd_psh_stop_netprofm_eventlog_before_reboot", {}],
    ["cmd_service_mod_fax", { "win-audit-log-cleared high": 1 }],
    ["covenant_dcsync_dcerpc_drsuapi_DsGetNCChanges", { "win-dcsync critical": 1 }],
    ["covenant_psremoting_grunt", { "win-suspicious-process high": 1 }],
    ["empire_schtasks_creation_standard_user", { "win-service-or-task medium": 1, "win-suspicious-process high": 1 }],
    ["empire_scm_dll_hijack_ikeext", { "win-account-created info": 1 }],
    ["metasploit_comsvcs_lsass_memory_dump", { "win-service-or-task high": 1, "win-suspicious-process critical": 1 }],
    ["psh_lsass_memory_dump_comsvcs", { "win-audit-log-cleared high": 1, "win-suspicious-process critical": 1 }],
  ])("[CP-13] %s", async (file, want) => {
    const all = linesOf(`windows-otrf/${file}.jsonl.gz`);
    // Sysmon's events, which no rule reads, are left out of the large ones.
    const lines = (all.length > 5000 ? all.filter((line) => !line.includes("Sysmon/Operational")) : all).map((line) => fromJson(JSON.parse(line) as Json)).flatMap((event) => (event ? [JSON.stringify(intakeRecord(event))] : []));
    expect(told(`windows-otrf/${file} (${lines.length})`, await judged({ lines, source: "windows.events" }))).toEqual(want);
  }, 120_000);
});

describe.skipIf(!hasShared("data/linux-auth-elastic"))("Linux hosts (skipped where the data is not there)", () => {
  test("[CP-13] a host on the internet that is guessed at for weeks", async () => {
    const signals = await judged({ lines: linesOf("linux-auth-elastic/auth.log.gz"), source: "auth", format: "syslog", arrivalMs: Date.UTC(2017, 4, 1) });
    expect(told("linux-auth-elastic (4685)", signals)).toEqual({ "linux-account-created info": 1, "linux-login-bruteforce critical": 1, "linux-login-bruteforce high": 1, "linux-ssh-bruteforce-success high": 1, "linux-sudo-shell low": 5 });
  });

  test("[CP-13] a server taken by Log4Shell: the decoded command is told", async () => {
    const lines = linesOf("linux-log4shell/events.jsonl").map((line) => JSON.parse(line) as { readonly SyslogMessage: string; readonly HostName: string }).map(({ SyslogMessage, HostName }) => JSON.stringify({ message: SyslogMessage, host: HostName }));
    const signals = await judged({ lines, source: "auditd" });
    expect(told("linux-log4shell (50)", signals)).toEqual({ "linux-download-and-run high": 1 });
    expect(signals[0]!.group).toEqual({ host: "UBUNTU5", "@usr.id": "tomcat" });
  });
});

describe.skipIf(!hasShared("data/k8s-audit-falco"))("Kubernetes (skipped where the data is not there)", () => {
  test("[CP-13] traces of Falco's tests, each by itself", () => {
    const traces = JSON.parse(new TextDecoder().decode(readShared("data/k8s-audit-falco/traces.json"))) as ReadonlyArray<{ readonly trace: string; readonly first_line: number; readonly events: number; readonly falco_tests: ReadonlyArray<{ readonly detect: boolean }> }>;
    const lines = linesOf("k8s-audit-falco/events.jsonl");
    const rows = traces.map(({ trace, first_line, events, falco_tests }) => ({
      trace: trace.replace(".json", ""), theirs: falco_tests.some(({ detect }) => detect),
      ours: [...new Set(lines.slice(first_line, first_line + events).flatMap((line) => namesOf("kubernetes", JSON.parse(line) as Json)))],
    }));
    process.stdout.write(`k8s-audit-falco: of ${rows.length} traces theirs tells ${rows.filter(({ theirs }) => theirs).length}, ours ${rows.filter(({ ours }) => ours.length).length}: ${rows.filter(({ ours }) => ours.length).map(({ trace, ours }) => `${trace} ${ours.join(" ")}`).join("; ")}\n`);
    // What is quiet there is quiet here.
    expect(rows.filter(({ theirs, ours }) => !theirs && ours.length)).toEqual([]);
    expect(Object.fromEntries(rows.filter(({ ours }) => ours.length).map(({ trace, ours }) => [trace, ours.join(" ")]))).toEqual({
      anonymous_creates_namespace_foo: "k8s-anonymous-access/anon", attach_cluster_admin_role: "k8s-cluster-admin-binding/bind", create_cluster_role_pod_exec: "k8s-role-reaches-in/reach", create_nginx_service_nodeport: "k8s-node-port/port", create_nginx_pod_hostnetwork: "k8s-host-namespaces/shared",
      create_nginx_pod_privileged: "k8s-privileged-pod/priv", create_nginx_pod_privileged_2nd_container: "k8s-privileged-pod/priv", exec_pod: "k8s-exec/exec",
    });
  });

  const panther = "data/labelled-panther/kubernetes_rules.jsonl.gz";
  /** Their rule, and our query that looks for the same. Counts are not looked at. */
  const counterparts: Readonly<Record<string, string>> = {
    "Kubernetes.API.AnonymousAccess": "k8s-anonymous-access/anon", "Kubernetes.ClientCertificate.Created": "k8s-client-certificate/csr", "Kubernetes.Pod.Exec": "k8s-exec/exec",
    "Kubernetes.Kubectl.CP.Operation": "k8s-exec/exec", "Kubernetes.Pod.Dangerous.Capabilities": "k8s-dangerous-capability/caps", "Kubernetes.Pod.Host.IPC": "k8s-host-namespaces/shared",
    "Kubernetes.Pod.Host.Network": "k8s-host-namespaces/shared", "Kubernetes.Pod.Host.PID": "k8s-host-namespaces/shared", "Kubernetes.Secret.AccessDenied": "k8s-denied-burst/denied",
    "Kubernetes.ServiceAccount.TokenCreated": "k8s-token-created/token",
  };
  test.skipIf(!hasShared(panther))("[CP-13] labelled events of another engine, EKS and AKS", () => {
    const tally = { tp: 0, fn: 0, fp: 0, tn: 0, gke: 0, beyond: 0 };
    const wrong: string[] = [];
    for (const each of linesOf(panther.replace("data/", "")).map((line) => JSON.parse(line) as { readonly rule: string; readonly test: string; readonly expected: boolean; readonly event: Json })) {
      const query = counterparts[each.rule];
      // GKE's audit log is Google's own form, and the pack gcp's.
      if (typeof each.event === "object" && each.event !== null && "protoPayload" in each.event) tally.gke++;
      else if (!query) tally.beyond++;
      else {
        const isTold = namesOf("kubernetes", each.event).includes(query);
        tally[each.expected ? (isTold ? "tp" : "fn") : isTold ? "fp" : "tn"]++;
        if (isTold !== each.expected) wrong.push(`${each.rule}: ${each.test}`);
      }
    }
    process.stdout.write(`labelled-panther/kubernetes: ${JSON.stringify(tally)}; not as labelled: ${wrong.join("; ")}\n`);
    // Not told are a secret that is not there (404) and a token asked for by a part of the cluster. Told and not labelled are commands in pods beside the copying, and other paths that were refused.
    expect(tally).toEqual({ tp: 24, fn: 2, fp: 6, tn: 29, gke: 16, beyond: 36 });
  });
});

describe.skipIf(!hasShared("data/labelled-crowdsec"))("labelled behaviours of another engine (skipped where the data is not there)", () => {
  const sources: Readonly<Record<string, string>> = { nginx: "nginx", apache2: "apache", syslog: "auth", auditd: "auditd", laurel: "auditd", "k8s-audit": "kubernetes.audit" };
  test("[CP-13] what is quiet there is quiet here, and what attacks is told", async () => {
    const shown: Record<string, string[]> = {};
    const counts = { quiet: 0, quietTold: 0, loud: 0, loudTold: 0 };
    for (const line of linesOf("labelled-crowdsec/tests.jsonl.gz")) {
      const each = JSON.parse(line) as { readonly test: string; readonly log_type: string; readonly lines: readonly string[]; readonly expected_overflows: readonly unknown[] | null };
      const source = sources[each.log_type];
      if (!source) continue;
      const isLoud = (each.expected_overflows ?? []).length > 0;
      const signals = await judged({ lines: each.lines, source, format: each.log_type === "syslog" ? "syslog" : each.lines[0]!.startsWith("{") ? "intake" : "text" });
      counts[isLoud ? "loud" : "quiet"]++;
      if (!signals.length) continue;
      counts[isLoud ? "loudTold" : "quietTold"]++;
      shown[each.test] = [...new Set(signals.map(({ ruleId, severity }) => `${ruleId} ${severity}`))].toSorted();
    }
    process.stdout.write(`labelled-crowdsec: ${JSON.stringify(counts)}: ${Object.entries(shown).map(([name, signals]) => `${name} ${signals.join(", ")}`).join("; ")}\n`);
    expect(counts).toEqual({ quiet: 32, quietTold: 0, loud: 64, loudTold: 6 });
    expect(shown).toEqual({
      "CVE-2022-42889": ["web-xss info"], "apache-cve-2021-41773": ["web-command-injection low", "web-path-traversal high"], "k8s-audit-priv-pod-file": ["k8s-privileged-pod medium"],
      netgear_rce: ["web-command-injection low"], "nginx-cve-2021-41773": ["web-command-injection low"], "pulse-secure-sslvpn-cve-2019-11510": ["web-path-traversal high"],
    });
  }, 120_000);
});

describe("quiet data stays quiet (each skipped where the data is not there)", () => {
  test.skipIf(!hasShared("data/web-access-apache"))("[CP-13] visitors and bots of a public site", async () => {
    expect(told("web-access-apache (4525)", await judged({ lines: linesOf("web-access-apache/access.log.gz"), source: "apache", format: "text" }))).toEqual({});
  });

  test.skipIf(!hasShared("data/zeek-apt29-day1"))("[CP-13] Zeek's logs, which no rule of these packs reads", async () => {
    expect(told("zeek-apt29-day1 (2140)", await judged({ lines: linesOf("zeek-apt29-day1/events.jsonl.gz"), source: "zeek" }))).toEqual({});
  });
});
