import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../host/serve/config.ts";
import { root, vespid } from "../cli/support.ts";
import { ServedProcess } from "./child.ts";
import { atConfig, serveFolders, settings, until } from "./process-support.ts";
import { burst } from "./rules.ts";

const folder = serveFolders();
const section = /^## Serve$([^]*?)^## /m.exec(readFileSync(join(root, "README.md"), "utf8"))![1]!;

describe("the README's section on serving", () => {
  test("[IN-29] [IN-30] its commands print what it shows", async () => {
    const shown = /```text\n([^]*?)```/.exec(section)![1]!.trimEnd().split("\n");
    const outputOf = (command: string): string[] => {
      const at = shown.findIndex((line) => line.startsWith("$ ") && line.includes(command));
      const end = shown.findIndex((line, i) => i > at && line.startsWith("$ "));
      expect(at, command).toBeGreaterThanOrEqual(0);
      return shown.slice(at + 1, end < 0 ? undefined : end);
    };
    const data = join(folder("shown", {}), "data");
    const made = await vespid(["keys", "create", "web-1", "--data", data]);
    const id = /[\da-f-]{36}/;
    expect(made.stderr.trimEnd().replace(id, "ID")).toBe(outputOf("keys create").join("\n").replace(id, "ID"));
    const args = /serve --data data (.*) &/.exec(shown.find((line) => line.includes("vespid serve"))!)![1]!;
    const server = await ServedProcess.start(["--data", data, ...args.split(" ").map((each) => each.replace(/^fixtures/, `${root}/fixtures`)), "--listen", "0"]);
    const file = /@(\S+)/.exec(shown.find((line) => line.startsWith("$ curl"))!)![1]!;
    const answer = await server.ask("POST", "/api/v2/logs", readFileSync(join(root, file)), { "dd-api-key": made.stdout.trim(), "content-type": "application/x-www-form-urlencoded" });
    const [body, ...signals] = outputOf("curl");
    expect(answer).toMatchObject({ status: 202, text: body });
    await until("all signals", () => server.stdout.split("\n").length > signals.length);
    expect(await server.stop()).toBe(0);
    expect(server.stdout.trimEnd().split("\n")).toEqual(signals);
    expect(server.stderr.trimEnd().replace(`data in ${data}`, "data in data").replace(/:\d+;/, ":8282;").split("\n")).toEqual([...outputOf("vespid serve"), ...outputOf("kill")]);
  });

  test("its settings are good ones, and hold every name there is but a few", () => {
    const text = /```yaml\n([^]*?)```/.exec(section)![1]!;
    const { config, problems } = readConfig(text, "vespid.yaml", "/srv");
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ data: "/srv/data", http: { port: 443, tls: { cert: "/srv/cert.pem" } }, tee: { keyVariable: "DD_API_KEY", compression: "gzip" }, heldBytes: 64 * 1024 ** 2, retention: { days: 30 } });
  });
});

const canMakeCertificate = ((): boolean => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe("[IN-28] addresses", () => {
  test.skipIf(!canMakeCertificate)("TLS on a port of one's choice (skipped without openssl)", async () => {
    const path = folder("tls", { "rules.json": JSON.stringify([burst]), "vespid.yaml": settings().replace("http: { port: 0 }", "http: { port: 0, host: 0.0.0.0, tls: { cert: cert.pem, key: key.pem } }") });
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", join(path, "key.pem"), "-out", join(path, "cert.pem"), "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], { stdio: "ignore" });
    const server = await ServedProcess.start(atConfig(path));
    expect(server.stderr).toMatch(/taking logs at https:\/\/0\.0\.0\.0:\d+;/);
    const ca = readFileSync(join(path, "cert.pem"));
    const status = await new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", servername: "localhost", port: server.port, path: "/health", ca }, (answer) => resolve(answer.resume().statusCode)).on("error", reject).end();
    });
    expect(status).toBe(200);
    await expect(server.ask("GET", "/health")).rejects.toThrow();
    expect(await server.stop()).toBe(0);
  });

  test("plain HTTP stays on loopback unless it is told otherwise", async () => {
    const start = (name: string, more: string) => ServedProcess.start(atConfig(folder(name, { "rules.json": JSON.stringify([burst]), "vespid.yaml": settings().replace("port: 0", `port: 0, host: 0.0.0.0${more}`) })));
    const refused = await start("plain", "");
    expect([refused.port, await refused.exited]).toEqual([0, 2]);
    expect(refused.stderr).toContain("intake/plain-beyond-loopback");
    const allowed = await start("allowed", ", plain_beyond_loopback: true");
    expect((await allowed.ask("GET", "/health")).status).toBe(200);
    expect(await allowed.stop()).toBe(0);
  });
});
