import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packPipelines } from "../../host/packs.ts";
import { readPackRules } from "../../host/pack-rules.ts";
import { TestRules, send, serverFolder } from "../serve/support.ts";
import { vespid } from "./support.ts";

const rules = readPackRules("web-access").length;
const json = (text: string) => text.trim().split("\n").map((line) => JSON.parse(line));

describe("vespid packs", () => {
  const folder = serverFolder();

  test("[CP-02] list and show tell what a pack brings along", async () => {
    const { code, stdout, stderr } = await vespid(["packs", "list"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^web-access +\\d+\\.\\d+\\.\\d+ +Web/WAF +${rules} +apache nginx .*Web servers$`, "m"));
    expect(stderr).toMatch(/not watched: Threat intel/);
    const [listed] = json((await vespid(["packs", "list", "--json"])).stdout);
    expect(listed.packs.find((pack: { name: string }) => pack.name === "web-access")).toMatchObject({ category: "Web/WAF", rules, sources: expect.arrayContaining(["apache", "nginx"]) });
    const shown = await vespid(["packs", "show", "web-access"]);
    expect(shown.stdout).toMatch(/^web-sqli +high +threshold +TA0001\/T1190 +SQL injection attempts$/m);
    const [pack] = json((await vespid(["packs", "show", "web-access", "--json"])).stdout);
    expect(pack.rules).toContainEqual({ id: "web-sqli", name: "SQL injection attempts", method: "threshold", severity: "high", attack: ["TA0001/T1190"] });
    expect(pack.pipelines.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(["web-access", "web-url"]));
    const unknown = await vespid(["packs", "show", "nothing"]);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("there is no pack nothing; use one of")]);
  });

  test("[CP-03] enable, doctor and disable on a server's folder", async () => {
    const data = join(folder.path, "data");
    expect((await vespid(["packs", "doctor", "--data", data])).code).toBe(2);
    const server = await folder.start(new TestRules([], { pipelines: await packPipelines(["web-access"]) }), { data });
    const enabled = await vespid(["packs", "enable", "web-access", "--data", data]);
    expect([enabled.code, enabled.stderr]).toEqual([0, "web-access activated; a server that runs takes it up within a minute\n"]);
    await send(server, [{ ddsource: "nginx", message: "no access log" }]);
    await server.control.tend(Date.now());
    const ill = await vespid(["packs", "doctor", "web-access", "--data", data, "--json"]);
    expect([ill.code, json(ill.stdout)]).toEqual([1, [expect.objectContaining({ pack: "web-access", status: "broken", activation: "activated", logs_recently: 1, parse_failure_percent: 100, rules })]]);
    expect((await vespid(["packs", "doctor", "--data", data])).stdout).toMatch(/^web-access +broken .* 100\.0 % +\d+ +100 % of its logs were not understood/m);
    expect((await vespid(["packs", "list", "--data", data])).stdout).toMatch(/^web-access .* \d+ +broken +apache/m);
    expect((await vespid(["packs", "disable", "web-access", "--data", data])).code).toBe(0);
    await server.control.tend(Date.now());
    const off = await vespid(["packs", "doctor", "web-access", "--data", data, "--json"]);
    expect([off.code, json(off.stdout)]).toEqual([0, [expect.objectContaining({ pack: "web-access", status: "activate", activation: "deactivated" })]]);
  });
});
