import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { vespid } from "../cli/support.ts";
import { ServedProcess } from "./child.ts";
import { atConfig, serveFolders, settings, until } from "./process-support.ts";
import { burst, spread } from "./rules.ts";

const folder = serveFolders();
const failures = Array.from({ length: 7 }, () => ({ message: "login failure", ddsource: "sso", evt: { outcome: "failure" }, usr: { id: "eve" } }));

describe("vespid status", () => {
  test("[IN-14] a block headed Security Agent has modules, rules and event counts; --json says the same; without a server it fails", async () => {
    const path = folder("status", { "rules/a.json": JSON.stringify([burst, spread]), "vespid.yaml": settings("lines: [{ protocol: udp, port: 0, needs_key: false }]\n", "rules") });
    const data = join(path, "data");
    const before = await vespid(["status", "--data", data]);
    expect([before.code, before.stderr]).toEqual([2, expect.stringContaining("no server runs on")]);
    const server = await ServedProcess.start(atConfig(path));
    expect((await server.send(failures)).status).toBe(202);
    await until("the signal", async () => (await server.metric("vespid_signals")) === 1);

    const { code, stdout } = await vespid(["status", "--data", data]);
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    const after = lines.slice(lines.indexOf("Security Agent") + 1);
    const block = after.slice(0, after.indexOf(""));
    expect(block.length).toBeGreaterThanOrEqual(6);
    const values = Object.fromEntries(block.slice(1).map((line) => line.trim().split(/: +/)));
    expect(values).toMatchObject({ "Enabled modules": "threat detection, log search, line inputs (1)", "Rules loaded": "2, 2 without a sample log that shows they can fire", "Rules on disk": "those that judge", "Events judged": "7", Signals: "1", "Batches set aside": "0" });
    expect(stdout).toMatch(/^Intake\n=+\n[^]*^ {2}datadog: +1 request, 7 events, /m);

    const json = await vespid(["agent", "status", "--url", `http://127.0.0.1:${server.port}/`, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ status: "ready", degraded: [], security_agent: { rules: { loaded: 2 }, events: { judged: 7 }, signals: 1 }, journal: { state: "ok" } });

    // What is wrong is said here too.
    writeFileSync(join(path, "rules/a.json"), "{");
    await until("the rules are refused", async () => (await server.metric("vespid_rules_refused")) === 1);
    const degraded = await vespid(["status", "--data", data]);
    expect(degraded.stdout).toMatch(/Status: +degraded \(rules\)$/m);
    expect(degraded.stdout).toMatch(/Rules on disk: +refused: .*the rules from before judge$/m);
    expect(await server.stop()).toBe(0);
    expect((await vespid(["status", "--data", data])).code).toBe(2);
    expect(await vespid(["status", "--url", `http://127.0.0.1:${server.port}`])).toMatchObject({ code: 1, stderr: expect.stringContaining("no server answers at") });
  });

  test("a server that was killed is not taken for one that runs", async () => {
    const path = folder("killed", { "rules.json": JSON.stringify(burst), "vespid.yaml": settings() });
    const server = await ServedProcess.start(atConfig(path));
    await server.kill();
    expect(await vespid(["status", "--data", join(path, "data")])).toMatchObject({ code: 1, stdout: "" });
  });
});
