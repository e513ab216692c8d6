import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendRaw } from "../intake/http-support.ts";
import { agentRequests, filebeatRequests, fluentBitRequest, fluentdRequest, syslogNgRequest, vectorRequest } from "../intake/shipper-requests.ts";
import { Served } from "./served.ts";

/** What a shipper sends, byte for byte, where it cannot be installed; and its event. */
interface Shipper {
  readonly name: string;
  readonly requests: (key: string) => readonly Uint8Array[];
  readonly until: string | RegExp;
  readonly event: object;
}

const shippers: Readonly<Record<string, Shipper>> = {
  nginx: { name: "the Agent", requests: (key) => agentRequests(key, "zstd"), until: /\{\}[^]*\{\}/, event: { message: "GET / 200", host: "web-1", service: "shop", status: "info", tags: ["env:prod", "filename:access.log"], timeMs: 1772359200000 } },
  vector: { name: "Vector", requests: (key) => [vectorRequest(key, "gzip")], until: "{}", event: { message: "slow query", host: "web-2", service: "db", status: "warn", tags: ["env:prod", "team:web"], timeMs: 1772359200123 } },
  "fluent-bit-src": { name: "Fluent Bit", requests: (key) => [fluentBitRequest(key, "gzip")], until: "{}", event: { message: "line", service: "svc", status: "info", tags: ["env:dev", "tagkey:x"], timeMs: 1772359200123 } },
  sshd: { name: "Fluentd", requests: (key) => [fluentdRequest(key)], until: "{}", event: { message: "sshd: failed", host: "edge-1", service: "ssh", tags: ["env:prod", "pod_name:p-1"], timeMs: 1772359200250 } },
  "syslog-ng": { name: "syslog-ng", requests: (key) => [syslogNgRequest(key)], until: "{}", event: { message: "Failed password for root", host: "gw-1", service: "sshd", status: "info", tags: ["env:prod", "team:net"], timeMs: 1772359200500 } },
  system: { name: "Filebeat", requests: filebeatRequests, until: '"items"', event: { message: "accepted publickey", host: "db-2", service: "system.auth", timeMs: 1772359200000 } },
};

describe("[IN-01] what shippers send, byte for byte", () => {
  let served: Served;
  beforeAll(async () => void (served = await Served.start("*")));
  afterAll(async () => expect(await served.stop()).toBe(0));

  test.each(Object.entries(shippers))("%s", async (source, { requests, until, event }) => {
    for (let times = 0; times < 3; times++) {
      const text = await sendRaw(Number(new URL(served.url).port), requests(served.key), until);
      expect(text).toMatch(/^HTTP\/1\.1 20[02] /);
    }
    expect(await served.signalOf(source)).toEqual({ severity: "high", eventsMatched: 3 });
    expect(await served.events(`source:${source}`)).toEqual(Array.from({ length: 3 }, () => expect.objectContaining(event)));
  });
});
