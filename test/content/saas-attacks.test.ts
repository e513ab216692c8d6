import { beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../host/index.ts";
import { hasShared, readShared } from "../support/shared.ts";
import { loadKernel } from "../support/wasm.ts";
import { type Samples, linesOf, madeEvent, saasPack } from "./saas-support.ts";

beforeAll(() => void loadKernel("simd"));

type Members = { readonly [name: string]: unknown };
interface Sent {
  readonly source: string;
  readonly events: readonly Members[];
}

const START_MS = Date.UTC(2026, 2, 1, 10);
const DAY_MS = 86_400_000;
const at = (ms: number): string => new Date(START_MS + ms).toISOString();
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** The samples of a file, as a vendor sends them. */
function samples(pack: string, file: string): Members[] {
  return linesOf(pack, { file, source: pack, format: "raw" } satisfies Samples).map((line) => JSON.parse(line) as Members);
}

/** `rule case severity group` of each signal that the pack makes of what was sent. */
async function told(name: string, sent: readonly Sent[]): Promise<string[]> {
  const { pack, rules } = saasPack(name);
  const engine = await createEngine({ rules, pipelines: pack.pipelines });
  for (const { source, events } of sent) {
    await engine.push(new TextEncoder().encode(`${events.map((event) => JSON.stringify(event)).join("\n")}\n`), { format: "raw", source, arrivalMs: START_MS, partition: source });
  }
  await engine.close();
  return engine.finalSignals().map(({ ruleId, caseName, severity, group }) => [ruleId, caseName, severity, ...Object.values(group)].filter((part) => part !== "").join(" ")).toSorted();
}

describe("what is sent as vendors send it", () => {
  test("[CP-02] Okta: prompts until one is approved, then an administrator and a token are made; support and places far apart", async () => {
    const all = samples("okta", "system-log.ndjson");
    const of = (type: string, result: string): Members => all.find((event) => event.eventType === type && (event.outcome as Members).result === result)!;
    const pushed = [...times(6, (i) => ({ ...of("user.mfa.okta_verify.deny_push", "SUCCESS"), published: at(i * 20_000) })), { ...of("user.authentication.auth_via_mfa", "SUCCESS"), published: at(150_000) }];
    const after = [of("user.account.privilege.grant", "SUCCESS"), of("system.api_token.create", "SUCCESS")].map((event, i) => ({ ...event, published: at(200_000 + i * 1000) }));
    expect(await told("okta", [{ source: "okta", events: [...pushed, ...after] }])).toEqual([
      "okta-admin-granted medium mina@example.com", "okta-api-token low mina@example.com", "okta-push-fatigue approved in the end high mina@example.com",
    ]);
    const start = of("user.session.start", "SUCCESS");
    const from = (city: string, country: string, lat: number, lon: number, ms: number): Members => ({ ...start, published: at(ms), client: { ...(start.client as Members), geographicalContext: { city, country, geolocation: { lat, lon } } } });
    const moved = [...times(4, (i) => from("Paris", "France", 48.86, 2.35, i * DAY_MS)), from("Tokyo", "Japan", 35.68, 139.69, 3 * DAY_MS + 3_600_000)];
    expect(await told("okta", [{ source: "okta", events: moved }])).toEqual(["okta-impossible-travel low mina@example.com"]);
  });

  test("[CP-11] GitHub: a stolen token makes repositories public, switches scanners off and writes as a package manager", async () => {
    const all = samples("github", "audit-log.ndjson");
    const of = (action: string): Members => all.find((event) => event.action === action)!;
    const stolen = [of("repo.access"), ...times(6, (i) => ({ ...of("repository_secret_scanning.disable"), repo: `example/r${i}` })), { ...of("repo.create"), visibility: "private", user_agent: "npm/10.2.4 node/v18.19.0 linux x64 workspaces/false" }];
    const events = stolen.map((event, i) => ({ ...event, created_at: START_MS + i * 1000, "@timestamp": START_MS + i * 1000 }));
    expect(await told("github", [{ source: "github", events }])).toEqual([
      "github-package-manager-writes high mina", "github-repo-made-public made public high mina example/shop", "github-scanning-off many high mina",
    ]);
  });

  test("[CP-04] 1Password: sign-ins that fail and then work, an export, places far apart", async () => {
    const all = samples("1password", "events.ndjson");
    const [right, wrong] = ["success", "credentials_failed"].map((category) => all.find((event) => event.category === category)!);
    const exported = all.find((event) => event.action === "export")!;
    const far = { ...right, location: { country: "JP", city: "Tokyo", latitude: 35.68, longitude: 139.69 } };
    const guessed = [...times(11, (i) => ({ ...wrong, timestamp: at(i * 1000) })), { ...right, timestamp: at(60_000) }, { ...exported, timestamp: at(90_000) }];
    const moved = [...times(3, (i) => ({ ...right, timestamp: at((i + 1) * DAY_MS) })), { ...far, timestamp: at(3 * DAY_MS + 3_600_000) }];
    expect(await told("1password", [{ source: "1password", events: [...guessed, ...moved] }])).toEqual([
      "op-impossible-travel medium mina@example.com", "op-signin-failures with success high mina@example.com", "op-vault-export high mina@example.com vault1",
    ]);
  });

  test("[CP-07] Cloudflare: the firewall, the account and the gateway", async () => {
    const block = samples("cloudflare", "edge.ndjson").find((event) => event.SecurityAction === "block")!;
    const post = samples("cloudflare", "edge.ndjson").find((event) => event.ClientRequestMethod === "POST")!;
    const edge = [...times(101, (i) => ({ ...block, EdgeStartTimestamp: (START_MS + i * 1000) * 1e6 })), { ...post, EdgeStartTimestamp: at(110_000) }];
    const change = samples("cloudflare", "audit.ndjson")[0]!;
    const audit = [...times(15, (i) => ({ ...change, When: at(i * DAY_MS) })), { ...change, ActorEmail: "bob@example.com", When: at(15 * DAY_MS) }];
    const gateway = times(6, (i) => ({ ...samples("cloudflare", "gateway.ndjson")[0]!, Datetime: at(i * 1000) }));
    const access = times(6, (i) => ({ ...samples("cloudflare", "access.ndjson")[0]!, AppDomain: `app${i}.example.com`, CreatedAt: at(i * 1000) }));
    expect(await told("cloudflare", [{ source: "cloudflare", events: edge }, { source: "cloudflare.audit", events: audit }, { source: "cloudflare.gateway", events: gateway }, { source: "cloudflare.access", events: access }])).toEqual([
      "cf-account-change medium rec_set", "cf-waf-burst low 192.0.2.10", "cf-waf-then-ok medium 192.0.2.10", "cf-zt-access-denied medium mina@example.com", "cf-zt-gateway-threat several high mina@example.com",
    ]);
  });

  test("[CP-05] Akamai: lists in base64, an application from another country, a threat that was blocked", async () => {
    const waf = samples("akamai", "waf.ndjson")[0]!;
    const seconds = START_MS / 1000;
    const attacks = ["WEB_ATTACK/XSS", "WEB_ATTACK/SQL_INJECTION", "WEB_ATTACK/FILE_INJECTION", "WEB_ATTACK/COMMAND_INJECTION"].map((tag, i) => ({
      ...waf, attackData: { ...(waf.attackData as Members), ruleTags: encodeURIComponent(Buffer.from(tag).toString("base64")) }, httpMessage: { ...(waf.httpMessage as Members), start: String(seconds + i) },
    }));
    const request = samples("akamai", "eaa.ndjson")[0]!;
    const eaa = [...times(15, (i) => ({ ...request, datetime: at(i * DAY_MS) })), { ...request, geo_countrycode: "BR", geo_city: "Recife", datetime: at(15 * DAY_MS) }];
    expect(await told("akamai", [{ source: "akamai.waf", events: attacks }, { source: "akamai.eaa", events: eaa }, { source: "akamai.etp", events: samples("akamai", "etp.ndjson") }])).toEqual([
      "akamai-eaa-new-country medium mina", "akamai-etp-threat medium 192.0.2.10", "akamai-etp-threat medium mina", "akamai-waf-attack several attack groups medium 192.0.2.10",
    ]);
  });

  test("[CP-08] DNS: a tunnel, generated names and a mining pool in the log of Route 53", async () => {
    const [lookup] = samples("dns", "route53.ndjson");
    const ask = (i: number, name: string, rcode = "NOERROR", srcaddr = "192.0.2.10"): Members => ({ ...lookup, query_timestamp: at(i * 1000), query_name: name, rcode, srcaddr });
    const tunnel = times(81, (i) => ask(i, `${Buffer.from(`secret ${i} carried out in small parts`).toString("hex")}.t.example.org.`));
    const generated = times(101, (i) => ask(i, `x${(i * 7919).toString(36)}q.example-${i}.com.`, "NXDOMAIN", "192.0.2.11"));
    const events = [...tunnel, ...generated, ask(102, "Pool.SupportXMR.com.")].toSorted((a, b) => String(a.query_timestamp).localeCompare(String(b.query_timestamp)));
    expect(await told("dns", [{ source: "route53", events }])).toEqual(["dns-mining-pool high 192.0.2.10", "dns-nxdomain-burst medium 192.0.2.11", "dns-tunnel-volume medium 192.0.2.10 example.org"]);
  });

  const recorded = "data/zeek-apt29-day1/events.jsonl.gz";
  test.skipIf(!hasShared(recorded))("[CP-08] lookups that Zeek recorded have a name and a domain, and make no signal (skipped where ../shared is absent)", async () => {
    const events = new TextDecoder().decode(readShared(recorded)).split("\n").filter((line) => line.includes('"@stream":"dns"')).map((line) => JSON.parse(line) as Members);
    const { pack } = saasPack("dns");
    const lookups = events.map((event) => madeEvent(pack, JSON.stringify(event), { file: "", source: "dns", format: "raw" }).attributes as { readonly dns?: { readonly question?: Members }; readonly network?: { readonly client?: Members } });
    const bare = lookups.filter(({ dns, network }) => typeof dns?.question?.name !== "string" || typeof dns.question.registered_domain !== "string" || typeof network?.client?.ip !== "string");
    expect([lookups.length, bare]).toEqual([53, []]);
    expect(await told("dns", [{ source: "dns", events }])).toEqual([]);
  });
});
