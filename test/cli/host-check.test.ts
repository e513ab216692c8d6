import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hostFolder } from "../compliance/support.ts";
import { TestRules, serverFolder } from "../serve/support.ts";
import { vespid, workFolder } from "./support.ts";

const work = workFolder();
const folder = serverFolder();

describe("vespid host check", () => {
  test("[CO-01] a host that is set up well passes, exit 0; one that is not is shown with what was seen, exit 1", async () => {
    const good = await vespid(["host", "check", "--root", hostFolder()]);
    expect([good.code, good.stdout]).toEqual([0, "image-1: 0 failed, 0 in error, 30 passed, 0 skipped\n"]);
    const bad = await vespid(["host", "check", "--root", hostFolder({ "etc/hosts.equiv": "+\n", "etc/crontab": undefined }), "--host", "web\u001b[31m-1"]);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^fail +high +trusted-hosts +No host is trusted for its name +there is \/etc\/hosts\.equiv$/m);
    expect(bad.stdout).toMatch(/^web\\u001b\[31m-1: 1 failed, 0 in error, 28 passed, 1 skipped$/m);
    const all = await vespid(["host", "check", "--root", hostFolder(), "--all", "--only", "tmp-nosuid", "--only", "ssh-tries"]);
    expect(all.stdout.split("\n").filter((line) => line.startsWith("pass"))).toHaveLength(2);
  });

  test("[CO-01] findings go to a server, as a host without one of its own sends them", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "taken") });
    const url = `http://127.0.0.1:${server.address.port}`;
    const { code, stdout, stderr } = await vespid(["host", "check", "--root", hostFolder({ "etc/hosts.equiv": "+\n" }), "--json", "--send", url]);
    expect([code, stderr]).toEqual([1, "image-1: 1 failed, 0 in error, 29 passed, 0 skipped; 30 findings sent\n"]);
    expect(stdout.trim().split("\n").map((line) => JSON.parse(line)).filter(({ status }) => status === "fail")).toEqual([expect.objectContaining({ rule_id: "trusted-hosts", resource: { type: "host", id: "image-1", name: "image-1" } })]);
    const found = await fetch(`${url}/api/v2/logs/events/search`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ filter: { query: "source:compliance @result:fail", from: "now-1h", to: "now+1h" } }) });
    expect(((await found.json()) as any).data.map(({ attributes }: any) => attributes.attributes.rule_id)).toEqual(["trusted-hosts"]);
  });

  test.each<[string, readonly string[], RegExp]>([
    ["a root that is not there", ["--root", "nowhere"], /--root nowhere: no such folder/], ["a check that is none", ["--root", ".", "--only", "colour"], /--only colour is no check; there are ssh-root-password/],
    ["checks that are wrong", ["--root", ".", "--checks", "checks.yaml"], /checks\.yaml:2: error compliance\/bad-check at \[1\]: nothing is no type of a check/], ["an address that is none", ["--root", ".", "--send", "siem"], /--send siem is no address/],
    ["nobody there", ["--root", ".", "--send", "http://127.0.0.1:1"], /http:\/\/127\.0\.0\.1:1: connect ECONNREFUSED/],
  ])("%s: told, exit 2", async (_name, args, message) => {
    work.write("checks.yaml", "- {id: a, title: b, type: file_absent, path: /a}\n- {id: c, title: d, type: nothing}\n");
    const { code, stderr } = await vespid(["host", "check", ...args], { cwd: work.path });
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
