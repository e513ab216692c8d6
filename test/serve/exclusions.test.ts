import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../host/serve/config.ts";
import { root } from "../cli/support.ts";
import { ServedProcess } from "./child.ts";
import { atConfig, serveFolders, settings, until } from "./process-support.ts";
import { burst } from "./rules.ts";

const folder = serveFolders();
const failures = (user: string, source = "sso"): unknown[] => Array.from({ length: 7 }, () => ({ message: "login failure", ddsource: source, evt: { outcome: "failure" }, usr: { id: user } }));
const search = (path: string, query: string, ...more: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
  spawnSync(process.execPath, [join(root, "host/cli/main.ts"), "search", query, "--data", join(path, "data"), "--count", ...more], { encoding: "utf8" });

async function found(server: ServedProcess, query: string): Promise<number> {
  const { status, text } = await server.ask("POST", "/api/v2/logs/events/search", JSON.stringify({ filter: { query, from: "now-1h", to: "now+1h" }, page: { limit: 100 } }));
  expect(status).toBe(200);
  return (JSON.parse(text) as { data: unknown[] }).data.length;
}

describe("search_exclusions", () => {
  test.each([["*", 0], ["source:sso", 3]])("[IN-04] %s: no search finds the log, and its signal is there", async (exclusion, others) => {
    const path = folder(`excluded-${others}`, { "rules.json": JSON.stringify(burst), "vespid.yaml": settings(`search_exclusions: ["${exclusion}"]\n`) });
    const server = await ServedProcess.start(atConfig(path));
    expect((await server.send([...failures("eve"), ...failures("other", "vpn").slice(0, 3)])).status).toBe(202);
    await until("the signal", () => server.stdout.includes("eve"));
    expect([await found(server, "*"), await found(server, "source:sso"), await found(server, "source:vpn")]).toEqual([others, 0, others]);
    const [hidden, all] = [search(path, "*"), search(path, "*", "--all")];
    expect([hidden.stdout.trim(), all.stdout.trim()]).toEqual([String(others), "10"]);
    expect(hidden.stderr).toContain(`left out by the server's settings: ${exclusion}; --all shows it`);
    // One log by its id is no way around it.
    const id = (JSON.parse(execFileSync(process.execPath, [join(root, "host/cli/main.ts"), "search", "source:sso", "--data", join(path, "data"), "--all", "--limit", "1", "--json"], { encoding: "utf8" }).split("\n")[0]!) as { id: string }).id;
    expect((await server.ask("GET", `/api/v2/logs/events/${id}`)).status).toBe(404);
    expect(await server.stop()).toBe(0);
  });

  test("a fault in one is told with its place", () => {
    const { problems } = readConfig('search_exclusions: ["source:ok", "source:("]\n', "vespid.yaml", "/srv");
    expect(problems).toEqual([expect.objectContaining({ code: expect.stringMatching(/^query\//), place: "search_exclusions[1]", line: 1 })]);
  });
});
