import { describe, expect, test } from "vitest";
import { withEnrichment } from "../../host/event/enrichment/enrichment.ts";
import { EventReader } from "../../host/event/made.ts";
import { createEngine } from "../../host/index.ts";
import { contentFolder, readPacks } from "../../host/packs.ts";
import { readRule } from "../../host/rule/wire.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { storedForm } from "../../host/signal/signal.ts";
import { tinyGeoip } from "../support/geoip.ts";
import { rulesOf } from "./aws-support.ts";

const packs = await readPacks(contentFolder());
const arrivalMs = Date.UTC(2026, 2, 9);
const packNamed = (name: string) => packs.find((pack) => pack.name === name)!;

const login = (time: string, ip: string, name = "mina"): object => ({
  eventVersion: "1.08", userIdentity: { type: "IAMUser", principalId: "AIDAEXAMPLE", arn: `arn:aws:iam::123456789012:user/${name}`, accountId: "123456789012", userName: name }, eventTime: time, eventSource: "signin.amazonaws.com",
  eventName: "ConsoleLogin", awsRegion: "us-east-1", sourceIPAddress: ip, userAgent: "Mozilla/5.0", requestParameters: null, responseElements: { ConsoleLogin: "Success" }, eventID: `${name}-${time}`, eventType: "AwsConsoleSignIn", recipientAccountId: "123456789012",
});
const call = (time: string, ip: string): object => ({
  eventVersion: "1.08", userIdentity: { type: "AssumedRole", arn: "arn:aws:sts::123456789012:assumed-role/web/i-0abc", accountId: "123456789012" }, eventTime: time, eventSource: "s3.amazonaws.com",
  eventName: "ListBuckets", awsRegion: "us-east-1", sourceIPAddress: ip, userAgent: "aws-cli", recipientAccountId: "123456789012",
});
const session = (time: string, ip: string): object => ({
  uuid: time, published: time, eventType: "user.session.start", severity: "INFO", actor: { id: "00u1", type: "User", alternateId: "mina@example.com", displayName: "Mina" }, client: { ipAddress: ip, userAgent: { rawUserAgent: "Mozilla/5.0" } }, outcome: { result: "SUCCESS" }, target: [],
});

/** From Lisbon for days, then within two hours from Japan; somebody else stays where they are. */
const cloudtrail = [
  login("2026-03-01T10:00:00Z", "4.1.3.3"), login("2026-03-02T09:00:00Z", "4.1.9.9"), login("2026-03-02T09:10:00Z", "4.3.0.7", "theo"), login("2026-03-03T10:00:00Z", "4.1.3.3"), login("2026-03-03T12:00:00Z", "4.2.7.7"), login("2026-03-03T13:00:00Z", "4.3.0.8", "theo"),
  ...Array.from({ length: 40 }, (_, i) => call(new Date(Date.UTC(2026, 2, 4) + i * 3_600_000).toISOString(), "4.1.7.7")), call("2026-03-06T10:00:00Z", "4.3.7.7"),
];
const okta = [...["01", "02", "03", "04"].map((day) => session(`2026-03-${day}T10:00:00.000Z`, "4.1.3.3")), session("2026-03-04T11:30:00.000Z", "2a00:4:5::7"), session("2026-03-04T12:00:00.000Z", "::ffff:4.2.0.1")];

/** Nothing matches it, and no plan of columns has a query on every attribute behind pipelines: so all events are made one by one. */
const everything = readRule({
  name: "everything", type: "log_detection", isEnabled: true, message: "x", options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 },
  queries: [{ name: "a", query: "*:nobody-writes-this", aggregation: "count" }], cases: [{ status: "low", condition: "a > 0" }],
});

interface Location {
  readonly city: string;
  readonly country: string;
  readonly ip: string;
}

interface Travelled {
  readonly method: { readonly impossible_travel: { readonly triggering_locations: { readonly first_location: Location; readonly second_location: Location } } };
}

interface Played {
  /** As they are stored. */
  readonly signals: readonly string[];
  readonly slowRows: number;
}

async function played(name: string, ids: readonly string[], records: readonly object[], { hasGeoip = true, isMade = false, pushes = 1, workers = 0 } = {}): Promise<Played> {
  const pack = packNamed(name);
  const rules: Rule[] = rulesOf(pack).filter(({ tags }) => ids.some((id) => tags.includes(`content:${id}`)));
  expect(rules.length).toBe(ids.length);
  const engine = await createEngine({ rules: isMade ? [...rules, everything] : rules, pipelines: withEnrichment(pack.pipelines, hasGeoip ? { geoip: tinyGeoip() } : undefined), workers, signalDetails: true });
  for (let push = 0; push < pushes; push++) {
    const part = records.slice(Math.floor((records.length * push) / pushes), Math.floor((records.length * (push + 1)) / pushes));
    await engine.push(new TextEncoder().encode(part.map((record) => `${JSON.stringify(record)}\n`).join("")), { format: "raw", source: pack.sources[0]!, arrivalMs });
  }
  const { slowRows } = (await engine.close()) as unknown as { slowRows: number };
  return { signals: engine.finalSignals().map((signal) => storedForm(signal).text), slowRows };
}

describe("impossible travel from raw logs", () => {
  test.each([
    ["cloudtrail", ["aws-console-impossible-travel"], cloudtrail, [["Lisbon", "Portugal", "Kobe", "4.2.7.7"]]],
    ["okta", ["okta-impossible-travel"], okta, [["Oslo", "Norway", "Osaka", "::ffff:4.2.0.1"]]],
  ] as const)("[GE-01] %s tells of people in two places at once, on columns and on events made one by one, in any batches", async (name, ids, records, ways) => {
    const columns = await played(name, ids, records);
    expect(columns.slowRows).toBe(0);
    const travels = columns.signals.map((signal) => (JSON.parse(signal) as { details: Travelled }).details.method.impossible_travel.triggering_locations);
    expect(travels.map(({ first_location: first, second_location: second }) => [first.city, first.country, second.city, second.ip])).toEqual(ways);
    for (const how of [{ isMade: true }, { pushes: 3 }, { pushes: 3, isMade: true }, { pushes: records.length, workers: 2 }]) expect((await played(name, ids, records, how)).signals).toEqual(columns.signals);
    expect((await played(name, ids, records, { hasGeoip: false })).signals).toEqual([]);
  });

  test("[GE-02] a machine's role that calls from another network is told", async () => {
    const { signals } = await played("cloudtrail", ["aws-instance-role-outside"], cloudtrail);
    expect(signals.length).toBe(1);
    expect((await played("cloudtrail", ["aws-instance-role-outside"], cloudtrail, { isMade: true })).signals).toEqual(signals);
    expect((await played("cloudtrail", ["aws-instance-role-outside"], cloudtrail, { hasGeoip: false })).signals).toEqual([]);
  });
});

/** For each source a record with an address of the database, as it is sent. */
const samples: ReadonlyArray<readonly [pack: string, source: string, format: "raw" | "text", record: string]> = [
  ["cloudtrail", "cloudtrail", "raw", JSON.stringify(login("2026-03-01T10:00:00Z", "4.2.7.7"))],
  ["azure", "azure.activedirectory", "raw", JSON.stringify({ time: "2026-03-01T10:00:00Z", category: "SignInLogs", operationName: "Sign-in activity", callerIpAddress: "4.2.7.7:4433", properties: { location: { city: "Nice", countryOrRegion: "FR", geoCoordinates: { latitude: 43.7, longitude: 7.27 } } } })],
  ["gcp", "gcp", "raw", JSON.stringify({ data: { protoPayload: { methodName: "x", requestMetadata: { callerIp: "4.2.7.7" } } } })],
  ["okta", "okta", "raw", JSON.stringify({ ...session("2026-03-01T10:00:00Z", "4.2.7.7"), client: { ipAddress: "4.2.7.7", geographicalContext: { city: "Nice", country: "France", geolocation: { lat: 43.7, lon: 7.27 } } } })],
  ["github", "github", "raw", JSON.stringify({ action: "git.clone", actor: "mina", actor_ip: "4.2.7.7", actor_location: { country_code: "FR" } })],
  ["linux-auth", "auth", "text", "Mar  1 10:00:00 web1 sshd[411]: Accepted password for mina from 4.2.7.7 port 4022 ssh2"],
  ["1password", "1password", "raw", JSON.stringify({ uuid: "a", category: "success", type: "credentials_ok", country: "FR", client: { ip_address: "4.2.7.7" }, location: { city: "Nice", country: "France", latitude: 43.7, longitude: 7.27 } })],
  ["akamai", "akamai.eaa", "raw", JSON.stringify({ clientip: "4.2.7.7", geo_countrycode: "FR", geo_city: "Nice", username: "mina" })],
  ["akamai", "akamai.waf", "raw", JSON.stringify({ attackData: { clientIP: "4.2.7.7" }, geo: { country: "FR" } })],
  ["microsoft-365", "microsoft-365", "raw", JSON.stringify({ Operation: "UserLoggedIn", ClientIP: "4.2.7.7:52000" })],
  ["cloudflare", "cloudflare", "raw", JSON.stringify({ ClientIP: "4.2.7.7", ClientCountry: "fr" })],
  ["cloudflare", "cloudflare.access", "raw", JSON.stringify({ IPAddress: "4.2.7.7", Country: "fr", Allowed: true })],
  ["cloudflare", "cloudflare.audit", "raw", JSON.stringify({ ActorIP: "4.2.7.7", ActionType: "login" })],
  ["web-access", "nginx", "text", '4.2.7.7 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"'],
  ["aws-edge", "waf", "raw", JSON.stringify({ timestamp: 1, action: "BLOCK", httpRequest: { clientIp: "4.2.7.7", country: "FR" } })],
];

test.each(samples)("[GE-01] [GE-02] pack %s locates the client of source %s", (name, source, format, record) => {
  const { pipelines } = packNamed(name);
  const placeOf = (pack: typeof pipelines): unknown => {
    const event = new EventReader(pack).event(Buffer.from(record), { format, source }, arrivalMs);
    return (event.attributes as { network: { client: { geoip?: object } } }).network.client.geoip;
  };
  expect(placeOf(withEnrichment(pipelines, { geoip: tinyGeoip() }))).toMatchObject({
    country: { name: "Japan", iso_code: "JP" }, continent: { code: "AS" }, subdivision: { iso_code: "28" }, city: { name: "Kobe" }, location: { latitude: 34.69, longitude: 135.19 }, timezone: "Asia/Tokyo", ipAddress: "4.2.7.7",
    as: { number: 64502, name: "Pacific Cloud", domain: "pacific.example", type: "hosting" },
  });
  expect(JSON.stringify(placeOf(pipelines) ?? {})).not.toMatch(/Kobe|Japan|ipAddress/);
});
