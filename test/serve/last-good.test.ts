import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ServedProcess } from "./child.ts";
import { atConfig, serveFolders, settings, until } from "./process-support.ts";
import { burst, spread } from "./rules.ts";

const folder = serveFolders();
const bad = JSON.stringify({ ...burst, id: "bad", queries: [{ ...burst.queries[0]!, query: "source:(sso" }] });
const failures = (user: string): unknown[] => Array.from({ length: 7 }, () => ({ message: "login failure", ddsource: "sso", evt: { outcome: "failure" }, usr: { id: user } }));
const health = async (server: ServedProcess): Promise<unknown> => JSON.parse((await server.ask("GET", "/health")).text);

describe("rules with an error at a restart", () => {
  test("[IN-02] all errors are told, the last good set judges with what it knew, and the files count again once they are good", async () => {
    const pipelines = JSON.stringify([{ id: "mark", name: "mark", is_enabled: true, filter: { query: "source:sso" }, processors: [{ type: "string-builder-processor", name: "made", is_enabled: true, template: "made of %{usr.id}", target: "made" }] }]);
    const path = folder("broken", {
      "rules/burst.json": JSON.stringify(burst), "rules/spread.json": JSON.stringify(spread), "pipelines.json": pipelines,
      "beside.yaml": "suppressions:\n  - { name: not bob, enabled: true, rule_query: \"*\", suppression_query: \"@usr.id:bob\" }\n",
      "vespid.yaml": settings("pipelines: [pipelines.json]\nsettings: [beside.yaml]\n", "rules"),
    });
    const first = await ServedProcess.start(atConfig(path));
    expect(first.port, first.stderr).toBeGreaterThan(0);
    expect((await first.send(failures("eve").slice(0, 4))).status).toBe(202);
    expect(await first.stop()).toBe(0);

    // Everything is broken at once: a bad rule, a rule gone, no pipelines, no settings.
    writeFileSync(join(path, "rules/bad.json"), bad);
    rmSync(join(path, "rules/burst.json"));
    rmSync(join(path, "pipelines.json"));
    writeFileSync(join(path, "beside.yaml"), "suppressions: 7\n");
    const second = await ServedProcess.start(atConfig(path));
    expect(second.port, second.stderr).toBeGreaterThan(0);
    expect(second.stderr).toMatch(/bad\.json:1:\d+: error query\//);
    expect(second.stderr).toMatch(/beside\.yaml:1:\d+: error /);
    expect(second.stderr).toMatch(/refused: \d+ errors in the rules or what stands beside them; those that were good judge/);
    expect(await health(second)).toEqual({ status: "degraded", degraded: ["rules"] });
    expect(await second.metric("vespid_rules_refused")).toBe(1);
    // Four failures of before and three of now: the state went along, and so did the suppression.
    expect((await second.send([...failures("eve").slice(0, 3), ...failures("bob")])).status).toBe(202);
    await until("a signal", () => second.stdout.includes("eve"));
    expect(second.stdout).not.toContain("bob");

    writeFileSync(join(path, "rules/bad.json"), JSON.stringify({ ...burst, id: "another" }));
    writeFileSync(join(path, "pipelines.json"), pipelines);
    writeFileSync(join(path, "beside.yaml"), "suppressions: []\n");
    await until("the files count again", async () => (await second.metric("vespid_rules_refused")) === 0);
    expect(await health(second)).toEqual({ status: "ok" });
    expect((JSON.parse((await second.ask("GET", "/readyz")).text) as { rules: { judging: number } }).rules.judging).toBe(2);
    expect(await second.stop()).toBe(0);
    // What judged last is what is kept.
    expect(Object.keys((JSON.parse(readFileSync(join(path, "data/rules.good.json"), "utf8")) as { texts: object }).texts).map((file) => file.slice(path.length + 1)).sort()).toEqual(["beside.yaml", "pipelines.json", "rules/bad.json", "rules/spread.json"]);
  });

  test("a folder that is gone is an error like another", async () => {
    const path = folder("gone", { "rules/burst.json": JSON.stringify(burst), "vespid.yaml": settings("", "rules") });
    expect(await (await ServedProcess.start(atConfig(path))).stop()).toBe(0);
    rmSync(join(path, "rules"), { recursive: true });
    const server = await ServedProcess.start(atConfig(path));
    expect(server.stderr).toContain("no such file, folder or match");
    expect(await health(server)).toEqual({ status: "degraded", degraded: ["rules"] });
    expect(await server.stop()).toBe(0);
  });

  test.each([
    ["there is no set from before", true, [], ""],
    ["--strict-rules", false, ["--strict-rules"], ""],
    ["strict_rules in the settings", false, [], "strict_rules: true\n"],
    ["what was kept is damaged", false, [], "", "{"],
  ])("refuses to start where %s", async (name, isNew, args, more, kept?: string) => {
    const path = folder(name.replaceAll(" ", "-"), { "rules/burst.json": isNew ? bad : JSON.stringify(burst), "vespid.yaml": settings(more, "rules") });
    if (!isNew) expect(await (await ServedProcess.start(atConfig(path))).stop()).toBe(0);
    expect(existsSync(join(path, "data/rules.good.json"))).toBe(!isNew);
    if (kept !== undefined) writeFileSync(join(path, "data/rules.good.json"), kept);
    writeFileSync(join(path, "rules/burst.json"), bad);
    const server = await ServedProcess.start([...atConfig(path), ...args]);
    expect([server.port, await server.exited]).toEqual([0, 2]);
    expect(server.stderr).toMatch(/burst\.json:1:\d+: error query\/[^]*2 errors in the rules or what stands beside them; nothing was started/);
  });
});
