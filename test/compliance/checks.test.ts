import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { HOST_CHECKS } from "../../host/cli/host-check.ts";
import { type CheckResult, findingOf, readChecks, runChecks } from "../../host/compliance/index.ts";
import { type FileOf, goodHost, hostFolder } from "./support.ts";

const { checks, problems } = readChecks(readFileSync(HOST_CHECKS, "utf8"), HOST_CHECKS);
const resultOf = (id: string, root: string): CheckResult => runChecks(checks.filter((check) => check.id === id), root)[0]!;
const passwd = (goodHost["etc/passwd"] as { text: string }).text;
const sshd = (text: string): Readonly<Record<string, FileOf | undefined>> => ({ "etc/ssh/sshd_config": { text, mode: 0o600 }, "etc/ssh/sshd_config.d/10-tries.conf": undefined });

describe("checks of a host", () => {
  test("[CO-01] those that come along are read, each with what it serves, and a host that is set up well passes all of them", () => {
    expect(problems).toEqual([]);
    expect(checks.length).toBeGreaterThanOrEqual(25);
    expect(checks.filter(({ tags }) => !tags.some((tag) => tag.startsWith("soc2:")))).toEqual([]);
    expect(runChecks(checks, hostFolder()).filter(({ status }) => status !== "pass").map(({ check, status, evidence }) => [check.id, status, evidence])).toEqual([]);
  });

  const bad: ReadonlyArray<readonly [id: string, changes: Readonly<Record<string, FileOf | undefined>>, evidence: RegExp]> = [
    ["ssh-root-password", sshd("PermitRootLogin yes\n"), /^PermitRootLogin is yes$/],
    ["ssh-empty-passwords", sshd('PermitEmptyPasswords "yes"\n'), /is yes$/],
    ["ssh-tries", sshd("Port 22\n"), /^MaxAuthTries is 6$/],
    ["ssh-tries", sshd("Match User backup\n  MaxAuthTries 2\n"), /^MaxAuthTries is 6$/],
    ["ssh-tries", sshd("maxauthtries 5\nMaxAuthTries 2\n"), /is 5$/],
    ["ssh-x11", sshd("X11Forwarding yes\n"), /is yes$/],
    ["ssh-log-level", sshd("LogLevel QUIET\n"), /is QUIET$/],
    ["ssh-config-mode", { "etc/ssh/sshd_config": { text: "", mode: 0o644 } }, /sshd_config has mode 0644$/],
    ["ssh-host-keys-mode", { "etc/ssh/ssh_host_rsa_key": { text: "", mode: 0o604 } }, /^\/etc\/ssh\/ssh_host_rsa_key has mode 0604$/],
    ["passwd-mode", { "etc/passwd": { text: passwd, mode: 0o664 } }, /0664$/],
    ["passwd-mode", { "etc/passwd": undefined }, /not there/],
    ["passwd-owner", { "etc/passwd": passwd.replace("root:x", "admin:x") }, /^\/etc\/passwd is of admin:root$/],
    ["shadow-mode", { "etc/shadow": { text: "", mode: 0o644 } }, /0644$/],
    ["shadow-owner", { "etc/group": { text: "other:x:1:\n", mode: 0o644 } }, /is of root:\d+$/],
    ["group-mode", { "etc/group": { text: "", mode: 0o666 } }, /0666$/],
    ["empty-passwords", { "etc/shadow": { text: "root:x:1:\nmina::19000:0:99999:7:::\n", mode: 0o640 } }, /^line 2 of \/etc\/shadow/],
    ["one-root", { "etc/passwd": `${passwd}toor:x:0:0::/root:/bin/sh\n` }, /^line 3 of \/etc\/passwd/],
    ["old-passwd-format", { "etc/passwd": `${passwd}old:$1$abc:9:9::/:/bin/sh\n` }, /^line 3/],
    ["password-age", { "etc/login.defs": "PASS_MIN_DAYS 0\n" }, /^PASS_MAX_DAYS is 99999$/],
    ["sudoers-mode", { "etc/sudoers": { text: "", mode: 0o644 } }, /0644$/],
    ["sudo-without-password", { "etc/sudoers.d/ci": "ci ALL=(ALL) NOPASSWD: ALL\n" }, /^line 1 of \/etc\/sudoers\.d\/ci/],
    ["cron-mode", { "etc/crontab": { text: "", mode: 0o646 } }, /0646$/],
    ["trusted-hosts", { "etc/hosts.equiv": "+\n" }, /^there is \/etc\/hosts\.equiv$/],
    ["root-trusted-hosts", { "root/.rhosts": "+ +\n" }, /there is/],
    ["address-randomisation", { "proc/sys/kernel/randomize_va_space": "0\n" }, /^kernel\.randomize_va_space is 0$/],
    ["kernel-log", { "proc/sys/kernel/dmesg_restrict": "0\n" }, /is 0$/],
    ["redirects", { "proc/sys/net/ipv4/conf/all/accept_redirects": "1\n" }, /is 1$/],
    ["source-routes", { "proc/sys/net/ipv4/conf/all/accept_source_route": "1\n" }, /is 1$/],
    ["symlinks", { "proc/sys/fs/protected_symlinks": "0\n" }, /is 0$/],
    ["audit-running", { "proc/101/comm": "bash\n" }, /^none of auditd, security-agent runs$/],
    ["log-running", { "proc/102/comm": "bash\n" }, /runs$/],
    ["shared-memory-noexec", { "proc/self/mounts": "tmpfs /dev/shm tmpfs rw,noexec 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n" }, /^\/dev\/shm is mounted with rw$/],
    ["tmp-nosuid", { "proc/self/mounts": "tmpfs /tmp tmpfs rw,suid 0 0\n" }, /rw,suid$/],
  ];
  test.each(bad)("[CO-01] %s fails, and says what was seen", (id, changes, evidence) => {
    expect(resultOf(id, hostFolder(changes))).toMatchObject({ status: "fail", evidence: expect.stringMatching(evidence) });
  });

  test("[CO-01] every check has a host that it fails", () => {
    expect(checks.map(({ id }) => id).filter((id) => !bad.some(([failed]) => failed === id))).toEqual([]);
  });

  test("what is not there is skipped, unless its absence says something; what cannot be looked at is an error", () => {
    const bare = runChecks(checks, hostFolder(Object.fromEntries(Object.keys(goodHost).map((name) => [name, undefined])), { "etc/crontab": "/etc/hostname", "etc/sudoers": "nowhere" }));
    const told = Object.fromEntries(bare.map(({ check, status, evidence }) => [check.id, `${status}: ${evidence}`]));
    expect(told["ssh-tries"]).toBe("skipped: what it looks at is not there");
    expect(told["redirects"]).toMatch(/^skipped/);
    expect(told["passwd-mode"]).toMatch(/^fail: /);
    expect(told["trusted-hosts"]).toMatch(/^pass: /);
    // A link out of the root is none of this host's files.
    expect(told["cron-mode"]).toBe("error: /etc/crontab leads out of the root");
    expect(told["sudoers-mode"]).toBe("error: /etc/sudoers cannot be looked at (ENOENT)");
  });

  test("a finding is what the intake takes, and holds no line of a file", () => {
    const root = hostFolder({ "etc/shadow": { text: "mina::secret\n", mode: 0o640 } });
    const finding = findingOf(resultOf("empty-passwords", root), "web-1", Date.UTC(2026, 2, 1));
    expect(finding).toEqual({
      rule_id: "empty-passwords", name: "Every account has a password or none that works", status: "fail", severity: "critical", type: "misconfiguration", resource: { type: "host", id: "web-1", name: "web-1" }, host: "web-1",
      evaluated_at: "2026-03-01T00:00:00.000Z", evidence: "line 1 of /etc/shadow matches ^[^:]+::", tags: ["soc2:CC6.1", "hipaa:164.312(a)(1)"],
    });
  });

  test.each<[string, RegExp]>([
    ["- id: a\n  title: b\n  type: nothing", /nothing is no type of a check/], ["- {id: a, title: b, type: file_absent, path: relative}", /relative is no whole path/], ["- {id: a, title: b, type: file_absent, path: /a/../b}", /no whole path/],
    ["- {id: a, title: b, type: file_mode, path: /a, most: rw}", /most is no mode/], ["- {id: a, title: b, type: file_contains, path: /a, pattern: '('}", /is no pattern/], ["- {id: a, title: b, type: sysctl, key: ../x, is: ['1']}", /no setting of the kernel/],
    ["- {id: a, title: b, type: sysctl, key: a.b}", /of is, most and least there is to be one/], ["- {id: a, title: b, type: sysctl, key: a.b, most: 1, least: 2}", /there is to be one/], ["- {id: a, title: b, type: setting, path: /a, key: k, most: many}", /many is no number/],
    ["- {id: a, title: b, type: file_absent, path: /a, colour: red}", /colour is not known of file_absent/], ["- {id: a, title: b, type: file_absent, path: /a, severity: urgent}", /severity urgent is none/], ["- {id: a, title: b, type: file_absent, path: /a, missing: maybe}", /missing: maybe is none/],
    ["- {title: b, type: file_absent, path: /a}", /id is required/], ["- {id: a, title: b, type: process_running, names: x}", /names is a list of texts/], ["- 5", /a check is an object/], ["a: 1", /no list of checks/], ["- {", /.+/],
    ["- {id: a, title: b, type: file_absent, path: /a}\n- {id: a, title: c, type: file_absent, path: /b}", /another check has the id a/],
  ])("%s is refused with a way out", (text, message) => {
    const read = readChecks(text, "checks.yaml");
    expect(read.problems).toEqual([expect.objectContaining({ code: expect.stringMatching(/^compliance\/(?:bad-check|unreadable)$/), message: expect.stringMatching(message), hint: expect.stringMatching(/.{5,}/), file: "checks.yaml" })]);
  });
});
