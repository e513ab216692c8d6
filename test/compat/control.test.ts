import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Served } from "./served.ts";

const isInstalled = existsSync(join(import.meta.dirname, "node_modules", ".package-lock.json"));

describe.skipIf(!isInstalled)("[AP-06] [RU-25] the control API as Datadog's own client calls it (skipped where it is not installed)", () => {
  let served: Served;
  let key = "";
  beforeAll(async () => {
    served = await Served.start('"Failed password"');
    key = served.applicationKey();
  });
  afterAll(async () => expect(await served.stop()).toBe(0));

  test("every must-have call goes well, is read wholly by the client, and says no where it must", async () => {
    const { code, stdout, stderr } = await new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, "clients", "control.mjs")], { stdio: ["ignore", "pipe", "pipe"], timeout: 90_000, env: { ...process.env, NO_COLOR: "1", VESPID_URL: served.url, VESPID_KEY: served.key, VESPID_APP_KEY: key } });
      let out = "";
      let err = "";
      child.stdout.on("data", (chunk: Buffer) => (out += chunk));
      child.stderr.on("data", (chunk: Buffer) => (err += chunk));
      child.on("close", (status) => resolve({ code: status, stdout: out, stderr: err }));
    });
    expect({ code, stderr: stderr.replaceAll(/Using unstable operation '\w+'\n/g, "") }).toEqual({ code: 0, stderr: "" });
    const outcomes = JSON.parse(stdout) as Record<string, string>;
    expect(Object.entries(outcomes).filter(([, wrong]) => wrong !== "")).toEqual([]);
    expect(Object.keys(outcomes).length).toBeGreaterThan(75);
  }, 120_000);

  test("[AP-01] [AP-03] the how-to's search, as its Python client writes it: date math and a sort object", async () => {
    const body = '{"filter": {"query": "status:open severity:critical", "from": "now-24h", "to": "now"}, "sort": {"field": "timestamp", "order": "desc"}, "page": {"limit": 25}}';
    const answer = await fetch(`${served.url}/api/v2/security_monitoring/signals/search`, {
      method: "POST", body,
      headers: { "Content-Type": "application/json", Accept: "application/json", "Accept-Encoding": "gzip", "User-Agent": "datadog-api-client-python/2.33.0 (python 3.11.2; os linux; arch x86_64)", "DD-API-KEY": served.key, "DD-APPLICATION-KEY": key },
    });
    expect(answer.status).toBe(200);
    for (const { attributes } of ((await answer.json()) as { data: { attributes: Record<string, any> }[] }).data) {
      expect(attributes).toMatchObject({ severity: "critical", title: expect.any(String), timestamp: expect.any(String), custom: { rule: { name: expect.any(String) } } });
    }
  });
});
