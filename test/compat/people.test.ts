import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Served } from "./served.ts";

const isInstalled = existsSync(join(import.meta.dirname, "node_modules", ".package-lock.json"));

test.skipIf(!isInstalled)("[AP-06] [RB-01] [RB-03] [RB-06] [IN-05] users, roles, permissions and keys as Datadog's own client calls them (skipped where it is not installed)", async () => {
  const served = await Served.start('"Failed password"');
  try {
    const child = spawn(process.execPath, [join(import.meta.dirname, "clients", "people.mjs")], { stdio: ["ignore", "pipe", "pipe"], timeout: 90_000, env: { ...process.env, NO_COLOR: "1", VESPID_URL: served.url, VESPID_KEY: served.key, VESPID_APP_KEY: served.applicationKey() } });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk));
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const outcomes = JSON.parse(out) as Record<string, string>;
    expect(Object.entries(outcomes).filter(([, wrong]) => wrong !== "")).toEqual([]);
    expect(Object.keys(outcomes)).toHaveLength(40);
  } finally {
    expect(await served.stop()).toBe(0);
  }
}, 120_000);
