import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { matches } from "../../host/query/matches.ts";
import { isWorkloadEventWanted, readAgentConfig } from "../../host/intake/tail/agent-config.ts";
import { queryOf } from "../support/query.ts";
import { MemorySink, until } from "./lines-support.ts";
import { follow, newFolder } from "./tail-support.ts";

function agentFolder(files: Readonly<Record<string, string>>): string {
  const folder = newFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const HOW_TO = `api_key: <YOUR_DATADOG_API_KEY>
site: datadoghq.com # or datadoghq.eu, us3.datadoghq.com, etc.

# Enable log collection for Cloud SIEM
logs_enabled: true

# Enable security features
runtime_security_config:
  enabled: true # Workload Protection (CSM Threats)
  activity_dump:
    enabled: true # Record process activity for investigation

compliance_config:
  enabled: true # CIS benchmark checks (CSM Misconfigurations)
  host_benchmarks:
    enabled: true
`;

describe("a Datadog Agent's files", () => {
  test("[IN-06] every switch of the how-to takes effect, or is said to have none", () => {
    const config = readAgentConfig(agentFolder({ "datadog.yaml": HOW_TO }));
    expect(config).toMatchObject({ apiKey: "<YOUR_DATADOG_API_KEY>", site: "datadoghq.com", logsEnabled: true, hostBenchmarks: true, problems: [] });
    expect(config.switches.map(({ key, value, effect }) => [key, value, effect])).toEqual([
      ["api_key", "***", "taken"],
      ["site", "datadoghq.com", "taken"],
      ["logs_enabled", true, "taken"],
      ["runtime_security_config.enabled", true, "taken"],
      ["runtime_security_config.activity_dump.enabled", true, "unsupported"],
      ["compliance_config.enabled", true, "taken"],
      ["compliance_config.host_benchmarks.enabled", true, "taken"],
    ]);
    expect(config.switches.every(({ note }) => note.length > 10)).toBe(true);
  });

  test("[IN-07] [IN-08] [IN-10] every entry of every conf.d is followed, with source, service and tags that queries find", async () => {
    const logs = newFolder();
    for (const name of ["auth.log", "syslog"]) writeFileSync(join(logs, name), "before\n");
    const folder = agentFolder({
      "datadog.yaml": "logs_enabled: true\nhostname: bastion\nenv: lab\ntags: [team:blue]\n",
      "conf.d/auth.d/conf.yaml": `logs:
  - type: file
    path: ${logs}/auth.log
    source: auth
    service: linux-auth
    tags:
      - env:production
      - security:authentication
  - type: file
    path: ${logs}/syslog
    source: syslog
    service: linux-syslog
`,
      "conf.d/other.d/conf.yaml": `logs:\n  - type: file\n    path: ${logs}/other*.log\n    source: other\n    start_position: beginning\n    tags: "a:b, c:d"\n`,
      "conf.d/cpu.d/conf.yaml.default": "logs: 7",
      "conf.d/disk.d/conf.yaml": "init_config:\ninstances: []\n",
    });
    writeFileSync(join(logs, "other-1.log"), "first\n");
    const config = readAgentConfig(folder);
    expect(config.problems).toEqual([]);
    const sink = new MemorySink();
    await follow(sink, { sources: config.sources });
    appendFileSync(join(logs, "auth.log"), "Mar  2 08:41:00 web1 sshd[411]: Failed password for deploy from 192.0.2.7 port 4022 ssh2\n");
    appendFileSync(join(logs, "syslog"), "Mar  2 08:41:00 web1 cron[1]: started\n");
    await until("three events", () => sink.events().length === 3);
    const found = (query: string) => sink.events().filter((event) => matches(queryOf(query), event)).map(({ source, service, host }) => [source, service, host]);
    expect(found("source:auth env:production security:authentication team:blue")).toEqual([["auth", "linux-auth", "web1"]]);
    expect(found("source:syslog env:lab -security:authentication")).toEqual([["syslog", "linux-syslog", "web1"]]);
    expect(found("source:other a:b c:d host:bastion")).toEqual([["other", undefined, "bastion"]]);
    // The program that wrote the line is still there to be asked for.
    expect(found("source:auth @syslog.appname:sshd")).toHaveLength(1);
    expect(sink.batches.find(({ profile }) => profile.source === "auth")!.profile).toMatchObject({ service: "linux-auth", tags: ["env:lab", "team:blue", "env:production", "security:authentication"] });
  });

  test("[IN-11] [IN-12] the how-to's Windows entry names channel and ids; without exports it says what to do", () => {
    const entry = "logs:\n  - type: windows_event\n    channel_path: Security\n    source: windows.events\n    service: windows-security\n    filters:\n      - id: [4624, 4625, 4648, 4672, 4688, 4720, 4726, 4740, 4767]\n";
    const without = readAgentConfig(agentFolder({ "conf.d/win32_event_log.d/conf.yaml": entry }));
    expect(without.sources).toEqual([]);
    expect(without.problems).toMatchObject([{ code: "intake/agent-windows", place: "logs[0]", hint: expect.stringContaining("path:") }]);
    const config = readAgentConfig(agentFolder({ "conf.d/win32_event_log.d/conf.yaml": `${entry}    path: /exports/*.xml\n` }));
    expect(config.sources).toMatchObject([{ path: "/exports/*.xml", defaults: { source: "windows.events", service: "windows-security" }, windows: { channel: "Security", ids: [4624, 4625, 4648, 4672, 4688, 4720, 4726, 4740, 4767] } }]);
  });

  test("[IN-13] file and network events are wanted or not, as system-probe.yaml says", () => {
    const probe = (more: string) => readAgentConfig(agentFolder({ "system-probe.yaml": `runtime_security_config:\n  enabled: true\n${more}` })).workload;
    const types = ["exec", "open", "connect"];
    const wanted = (more: string) => types.filter((type) => isWorkloadEventWanted(type, probe(more)));
    expect(wanted("  fim_enabled: true\n  network_enabled: true\n")).toEqual(["exec", "open", "connect"]);
    expect(wanted("  fim_enabled: false\n  network_enabled: false\n")).toEqual(["exec"]);
    expect(wanted("  fim_enabled: false\n")).toEqual(["exec", "connect"]);
    expect(types.filter((type) => isWorkloadEventWanted(type, readAgentConfig(agentFolder({})).workload))).toEqual([]);
  });

  test("rules of lines, listeners and start positions are taken", () => {
    const config = readAgentConfig(agentFolder({
      "conf.d/app.d/conf.yaml": `logs:
  - type: file
    path: /var/log/app/**/*.log
    exclude_paths: ["*.tmp.log"]
    start_position: forceBeginning
    encoding: utf-16-le
    log_processing_rules:
      - {type: multi_line, name: start, pattern: "\\\\d{4}"}
      - {type: mask_sequences, name: cards, pattern: "\\\\d{16}", replace_placeholder: "[card]"}
  - type: udp
    port: 5140
    source: cisco
`,
    }));
    expect(config.problems).toEqual([]);
    expect(config.sources).toMatchObject([{ path: "/var/log/app/**/*.log", exclude: ["*.tmp.log"], startPosition: "forceBeginning", encoding: "utf-16-le", rules: [{ kind: "multi_line" }, { kind: "mask_sequences", placeholder: "[card]" }] }]);
    expect(config.listeners).toEqual([{ protocol: "udp", port: 5140, defaults: { source: "cisco" }, name: "agent:udp:5140" }]);
  });

  test.each<[string, string, object]>([
    ["no YAML", "logs: [", { code: "intake/agent-yaml", line: expect.any(Number) }],
    ["no mapping", "- a", { code: "intake/agent-yaml" }],
    ["no list", "logs: {}", { code: "intake/agent-logs", place: "logs" }],
    ["an entry that is none", "logs: [7]", { code: "intake/agent-entry", place: "logs[0]" }],
    ["another type", "logs: [{type: journald}]", { code: "intake/agent-type", place: "logs[0]" }],
    ["no path", "logs: [{type: file}]", { code: "intake/agent-value", place: "logs[0].path" }],
    ["a path from nowhere", "logs: [{type: file, path: a.log}]", { code: "intake/agent-value", place: "logs[0].path" }],
    ["a start that is none", "logs: [{type: file, path: /a, start_position: middle}]", { place: "logs[0].start_position" }],
    ["an encoding that is not read", "logs: [{type: file, path: /a, encoding: shift-jis}]", { place: "logs[0].encoding" }],
    ["a pattern that is none", 'logs: [{type: file, path: /a, log_processing_rules: [{type: mask_sequences, pattern: "("}]}]', { code: "intake/agent-rule", place: "logs[0].log_processing_rules[0]" }],
    ["no port", "logs: [{type: tcp}]", { place: "logs[0].port" }],
    ["many aliases", `a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]`, { code: "intake/agent-yaml" }],
  ])("%s is reported where it stands, and the next file is read", (_name, content, problem) => {
    const config = readAgentConfig(agentFolder({ "conf.d/a.d/conf.yaml": content, "conf.d/b.d/conf.yaml": "logs: [{type: file, path: /var/log/b.log}]" }));
    expect(config.problems).toMatchObject([{ ...problem, file: expect.stringContaining("a.d"), hint: expect.any(String) }]);
    expect(config.sources.map(({ path }) => path)).toEqual(["/var/log/b.log"]);
  });
});
