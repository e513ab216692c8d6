import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

export type FileOf = string | { readonly text: string; readonly mode: number };

const [uid, gid] = [process.getuid!(), process.getgid!()];

/** A host that is set up as every check that comes along wants it. Who runs the test is its root. */
export const goodHost: Readonly<Record<string, FileOf>> = {
  "etc/hostname": "image-1\n",
  "etc/passwd": { text: `root:x:${uid}:${gid}:root:/root:/bin/bash\nmina:x:4711:4711::/home/mina:/bin/bash\n`, mode: 0o644 },
  "etc/group": { text: `root:x:${gid}:\nshadow:x:4242:\n`, mode: 0o644 },
  "etc/shadow": { text: "root:$y$j9T$x:19000:0:99999:7:::\nmina:!:19000:0:99999:7:::\n", mode: 0o640 },
  "etc/ssh/sshd_config": { text: "# the house's own\nInclude /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\nLogLevel VERBOSE\n\nMatch User backup\n  MaxAuthTries 9\n", mode: 0o600 },
  "etc/ssh/sshd_config.d/10-tries.conf": "MaxAuthTries = 3\n",
  "etc/ssh/ssh_host_ed25519_key": { text: "key\n", mode: 0o600 }, "etc/ssh/ssh_host_rsa_key": { text: "key\n", mode: 0o600 },
  "etc/login.defs": "PASS_MAX_DAYS\t99999\n# PASS_MAX_DAYS 1\nPASS_MAX_DAYS\t180\n",
  "etc/sudoers": { text: "root ALL=(ALL:ALL) ALL\n", mode: 0o440 }, "etc/sudoers.d/ops": { text: "%ops ALL=(ALL) ALL\n# NOPASSWD is not wanted here\n", mode: 0o440 },
  "etc/crontab": { text: "17 * * * * root run-parts\n", mode: 0o644 },
  "proc/sys/kernel/randomize_va_space": "2\n", "proc/sys/kernel/dmesg_restrict": "1\n", "proc/sys/net/ipv4/conf/all/accept_redirects": "0\n",
  "proc/sys/net/ipv4/conf/all/accept_source_route": "0\n", "proc/sys/fs/protected_symlinks": "1\n",
  "proc/101/comm": "auditd\n", "proc/102/comm": "rsyslogd\n", "proc/cpuinfo": "x\n",
  "proc/self/mounts": "/dev/sda1 / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw,nosuid,nodev,noexec 0 0\ntmpfs /tmp tmpfs rw,nosuid 0 0\n",
};

/** A folder with a host's files; what is undefined in the changes is not there. */
export function hostFolder(changes: Readonly<Record<string, FileOf | undefined>> = {}, links: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "vespid-host-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, file] of Object.entries({ ...goodHost, ...changes })) {
    if (file === undefined) continue;
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof file === "string" ? file : file.text);
    if (typeof file !== "string") chmodSync(path, file.mode);
  }
  for (const [name, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    symlinkSync(target, join(root, name));
  }
  return root;
}
