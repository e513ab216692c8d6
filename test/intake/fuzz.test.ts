import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DecodeContext, Refused } from "../../host/intake/exchange.ts";
import { Profiles } from "../../host/intake/profiles.ts";
import { protobufMessage } from "../../host/intake/protocol/protobuf.ts";
import { intakeRoutes } from "../../host/intake/routes.ts";
import { unpack } from "../../host/intake/unpack.ts";
import { type Matcher, createMatcher } from "../../host/matcher.ts";
import { queryOf } from "../support/query.ts";
import { loadKernel } from "../support/wasm.ts";
import { ARRIVAL_MS, seeded } from "./http-support.ts";

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");
const log = '{"message":"a \\u00e9 \\ud83d\\ude00","host":"h","service":"s","ddsource":"x","ddtags":"a:b,c","timestamp":1772359200000,"n":-1.5e3,"o":{"p":[1,null,true,"t"]}}';
const otlpBinary = protobufMessage([[1, protobufMessage([[1, protobufMessage([[1, protobufMessage([[1, "service.name"], [2, protobufMessage([[1, "s"]])]])]])], [2, protobufMessage([[1, protobufMessage([[1, "lib"]])], [2, protobufMessage([[2, 17n], [3, "ERROR"], [5, protobufMessage([[6, protobufMessage([[1, protobufMessage([[1, "k"], [2, protobufMessage([[5, protobufMessage([[1, protobufMessage([[3, 7n]])]])]])]])]])]])], [9, "0123456789abcdef"]])]])]])]]);

const corpus: ReadonlyArray<readonly [path: string, type: string, body: string | Uint8Array]> = [
  ["/api/v2/logs", "application/json", `[${log},"text",3]`],
  ["/api/v2/logs", "application/json", `${log}\n${log}${log}\n`],
  ["/api/v2/logs?ddsource=a&ddtags=b:c", "text/plain", "<34>1 2026-03-01T10:00:00Z h app 1 - [a b=\"c\"] text\nplain\r\n[x] y\n"],
  ["/api/v2/logs", "application/json", `{"Records":[{"eventVersion":"1","eventName":"n","eventSource":"s.amazonaws.com"},${log}],"x":1}`],
  ["/aws/eventbridge", "application/json", `{"detail-type":"x","source":"aws.guardduty","account":"1","region":"r","time":"2026-03-01T10:00:00Z","detail":${log}}`],
  ["/azure/eventhub", "application/json", `{"records":[{"category":"SignInLogs","operationName":"o","time":"t","resultType":"0","properties":{"userPrincipalName":"u"},"resourceId":"/x/providers/microsoft.y/z"},${log}]}`],
  ["/gcp/pubsub", "application/json", `{"message":{"data":"${base64('{"logName":"l","protoPayload":{"methodName":"m","status":{"code":7}},"severity":"ERROR"}')}","attributes":{"a":"b"}},"subscription":"s"}`],
  ["/gcp/pubsub", "application/json", `{"message":{"data":"${base64(gzipSync(log))}"},"subscription":"s"}`],
  ["/api/v1/events", "application/json", '{"title":"t","text":"x","date_happened":1772359200,"tags":["a:b",3],"alert_type":"error","host":"h"}'],
  ["/v1/logs", "application/json", '{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"h"}}]},"scopeLogs":[{"scope":{"name":"n"},"logRecords":[{"timeUnixNano":"1772359200000000000","severityNumber":9,"body":{"kvlistValue":{"values":[{"key":"m","value":{"arrayValue":{"values":[{"intValue":"7"},{"doubleValue":1.5},{"bytesValue":"AAE="}]}}}]}},"attributes":[{"key":"a","value":{"boolValue":true}}],"traceId":"ab"}]}]}]}'],
  ["/v1/logs", "application/x-protobuf", otlpBinary],
  ["/services/collector", "application/json", `{"time":1772359200.5,"host":"h","sourcetype":"_s","source":"f","index":"i","event":${log},"fields":{"a":1}}{"event":"x"} {"event":[1]}`],
  ["/services/collector/raw?sourcetype=x", "text/plain", "one\n\ntwo \u00e9\r\n"],
  ["/_bulk", "application/x-ndjson", `{"create":{"_index":"i","_id":"1"}}\n${log}\n{"index":{}}\n{"@timestamp":"2026-03-01T10:00:00Z","host":{"name":"h"},"service":{"name":"s"},"event":{"module":"m"},"tags":["t"],"labels":{"a":"b"},"log":{"level":"warn"}}\n{"delete":{"_id":"1"}}\n{"update":{}}\n{"doc":1}\n`],
  ["/firehose", "application/json", `{"requestId":"r","timestamp":1,"records":[{"data":"${base64(log)}"},{"data":"${base64(gzipSync('{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[{"id":"1","timestamp":1,"message":"m"}]}'))}"}]}`],
  ["/loki/api/v1/push", "application/json", '{"streams":[{"stream":{"app":"a","level":"warn"},"values":[["1772359200000000000","line",{"k":"v"}],["2","x"]]}]}'],
];

const pieces = ["{", "}", "[", "]", '"', ",", ":", "\\", "\n", "\r\n", " ", "\0", "\u0001", "\ufeff", "null", "true", "1e999", "-0", "123456789012345678901234567890", '""', "{}", "[]", "\\u0000", "\\ud800", "\u2028", '"__proto__":{"x":1},', '"constructor":1,', '"a":1,'].map((text) => Buffer.from(text));

/** A body with a few things wrong with it. */
function damaged(body: Buffer, random: () => number): Buffer {
  let bytes: Buffer = body;
  const place = (): number => Math.floor(random() * (bytes.length + 1));
  for (let i = Math.floor(random() * 4); i >= 0; i--) {
    const at = place();
    switch (Math.floor(random() * 6)) {
      case 0: bytes = bytes.subarray(0, at); break;
      case 1: bytes = Buffer.concat([bytes.subarray(0, at), pieces[Math.floor(random() * pieces.length)]!, bytes.subarray(at)]); break;
      case 2: bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + Math.ceil(random() * 9)))]); break;
      case 3: bytes = Buffer.from(bytes); if (at < bytes.length) bytes[at] = Math.floor(random() * 256); break;
      case 4: bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.floor(random() * at), at), bytes.subarray(at)]); break;
      default: bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(corpus[Math.floor(random() * corpus.length)]![2]).subarray(0, place()), bytes.subarray(at)]);
    }
  }
  return Buffer.from(bytes);
}

/** Reasons for which the engine may still refuse one record alone. */
const enginesOwn = new Set(["too-deep"]);

describe("whatever comes, a decoder takes it or refuses it in its own words", () => {
  let matcher: Matcher;
  beforeAll(async () => {
    loadKernel("simd");
    matcher = await createMatcher({ queries: [queryOf("*")] });
  });
  afterAll(() => matcher.close());

  test.each(corpus.map((entry, i) => [`${entry[0]} ${i}`, entry] as const))("%s", async (name, [target, type, body]) => {
    const random = seeded(name.length * 7919 + body.length);
    const route = intakeRoutes();
    const [path, query] = target.split("?");
    const endpoint = route("POST", path!)!;
    let taken = 0;
    for (let run = 0; run < 500; run++) {
      const bytes = run === 0 ? Buffer.from(body) : damaged(Buffer.from(body), random);
      const context: DecodeContext = { limits: { recordBytes: random() < 0.2 ? 2000 : 1 << 20, entries: 1000, records: 1000 }, profiles: new Profiles(random() < 0.2 ? 0 : 4) };
      const head = { method: "POST", path: path!, query: new URLSearchParams(query), headers: { "content-type": type, "x-amz-firehose-request-id": `${run}` }, peer: "192.0.2.1", arrivalMs: ARRIVAL_MS };
      const given = bytes.toString("base64");
      try {
        const decoded = await endpoint.decode({ ...head, body: bytes }, context);
        expect(decoded.answer.status, given).toBeGreaterThanOrEqual(200);
        let counted = 0;
        for (const batch of decoded.batches) {
          const [events, malformed] = [matcher.events, { ...matcher.malformed }];
          await matcher.match(batch.bytes, { ...batch.profile, arrivalMs: ARRIVAL_MS });
          counted += matcher.events - events;
          for (const [reason, count] of Object.entries(matcher.malformed)) {
            const more = count - (malformed[reason] ?? 0);
            if (more > 0) expect(enginesOwn.has(reason), `${reason}: ${given}`).toBe(true);
            counted += more;
          }
        }
        expect(counted, given).toBe(decoded.events);
        taken++;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const said = endpoint.refuse(error, head);
        expect(said.status, given).toBeGreaterThanOrEqual(400);
        expect(run, given).toBeGreaterThan(0);
      }
    }
    expect(taken).toBeGreaterThan(10);
  }, 60_000);
});

describe("packed bytes with a few things wrong with them", () => {
  test.each(["gzip", "deflate", "zstd", "br", "gzip, deflate", "identity"])("%s", async (coding) => {
    const random = seeded(coding.length);
    const { deflateSync, zstdCompressSync } = await import("node:zlib");
    const plain = Buffer.from(log.repeat(50));
    const packed = coding === "zstd" ? zstdCompressSync(plain) : coding === "deflate" ? deflateSync(plain) : gzipSync(plain);
    const seen = new Set<string>();
    for (let run = 0; run < 1500; run++) {
      try {
        expect((await unpack(damaged(packed, random), coding, plain.length * 2)).length).toBeLessThanOrEqual(plain.length * 2);
        seen.add("taken");
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        seen.add(error.kind);
      }
    }
    expect([...seen].every((kind) => ["taken", "bad-body", "bad-encoding", "too-large"].includes(kind))).toBe(true);
  });
});
