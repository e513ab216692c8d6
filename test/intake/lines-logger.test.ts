import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { listenForLines } from "../../host/intake/lines.ts";
import { keysOf, MemorySink, until } from "./lines-support.ts";

function hasLogger(): boolean {
  try {
    execFileSync("logger", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!hasLogger()).each([
  ["tcp", "--rfc5424"], ["tcp", "--rfc3164"], ["tcp", "--octet-count", "--rfc5424"], ["udp", "--rfc5424"], ["udp", "--rfc3164"],
] as const)("[IN-09] what util-linux's logger sends over %s with %s is read", async (protocol, ...options) => {
  const sink = new MemorySink();
  const listener = await listenForLines({ protocol, host: "127.0.0.1", port: 0 }, sink, keysOf(false));
  try {
    await promisify(execFile)("logger", ["--server", "127.0.0.1", "--port", String(listener.port), `--${protocol}`, ...options, "--tag", "vespid-test", "--id=77", "--priority", "auth.warning", "a message from outside"]);
    await until("the message", () => sink.events().length === 1);
    expect(sink.events()[0]).toMatchObject({ source: "syslog", service: "vespid-test", status: "warn", message: "a message from outside", attributes: { syslog: { facility: 4, severity: 4, procid: "77", hostname: expect.stringMatching(/./) } } });
  } finally {
    await listener.close();
  }
});
