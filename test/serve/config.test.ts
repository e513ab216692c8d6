import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { defaultConfig, readConfig } from "../../host/serve/config.ts";
import { oidcSettings } from "../../host/serve/oidc-config.ts";

describe("settings of the server", () => {
  test("an empty file is a good one", () => {
    expect(readConfig("", "vespid.yaml", "/srv")).toMatchObject({ config: defaultConfig("/srv"), problems: [] });
    expect(defaultConfig("/srv")).toMatchObject({ data: "/srv/vespid-data", keysRequired: true, workers: "auto", http: { host: "127.0.0.1", port: 8282, plainBeyondLoopback: false } });
  });

  test("paths are as seen from the file, and sizes are written as people do", () => {
    const { config, problems } = readConfig("data: ../d\nrules: [rules, pack:linux-auth, /etc/vespid]\nstate: 512MB\nretention: { days: 7, size: 1.5gb }\nlines:\n  - { protocol: udp, port: 514, tags: [env:prod], needs_key: false }\n", "vespid.yaml", "/srv/a");
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      data: "/srv/d", rules: ["/srv/a/rules", "pack:linux-auth", "/etc/vespid"], stateBytes: 512 * 1024 ** 2, retention: { days: 7, bytes: 1.5 * 1024 ** 3 },
      lines: [{ protocol: "udp", host: "127.0.0.1", port: 514, tags: ["env:prod"], needsKey: false }],
    });
  });

  test("all that is wrong comes back at once, with its place", () => {
    const { problems } = readConfig("data: 7\nrulez: [a]\nhttp:\n  port: 99999\n  tls: { cert: a.pem }\nworkers: many\nlines:\n  - protocol: icmp\nretention:\n  days: 0\ntee: { url: somewhere }\n", "vespid.yaml", "/srv");
    expect(problems.map(({ code, place, line }) => [code, place, line])).toEqual(expect.arrayContaining([
      ["serve/bad-setting", "data", 1], ["serve/unknown-setting", "rulez", 2], ["serve/bad-setting", "http.port", 4], ["serve/half-tls", "http.tls.key", 5],
      ["serve/bad-setting", "workers", 6], ["serve/bad-setting", "lines[0].protocol", 8], ["serve/bad-setting", "retention.days", 10], ["serve/bad-url", "tee.url", 11],
    ]));
    expect(problems).toHaveLength(8);
    expect(problems.find(({ place }) => place === "rulez")!.hint).toBe("did you mean rules?");
  });

  test("the journal packs logs unless it is told not to", () => {
    const compressionOf = (text: string) => readConfig(text, "vespid.yaml", "/srv").config.journal.compression;
    expect([compressionOf("{}"), compressionOf("journal: { compression: none }"), compressionOf("journal: { compression: fast }")]).toEqual(["fast", "none", "fast"]);
    expect(readConfig("journal: { compression: small }", "vespid.yaml", "/srv").problems).toMatchObject([{ code: "serve/bad-setting", place: "journal.compression" }]);
  });

  test("an identity provider is named whole, by https, and lets strangers in only from domains that are named", () => {
    const whole = { issuer: "https://login.example.com", client_id: "vespid", redirect_url: "https://siem.example.com/auth/oidc/callback" };
    const read = (oidc: object): ReturnType<typeof readConfig> => readConfig(JSON.stringify({ oidc }), "vespid.json", "/srv");
    expect(read({}).config.oidc).toBeUndefined();
    expect(read({ ...whole, default_role: "Readers", allowed_domains: ["@Example.com"], roles_claim: "groups", roles: { soc: "Triage" } })).toMatchObject({
      problems: [], config: { oidc: { issuer: whole.issuer, clientId: "vespid", redirectUrl: whole.redirect_url, defaultRole: "Readers", allowedDomains: ["example.com"], rolesClaim: "groups", roles: { soc: "Triage" } } },
    });
    const codes = (oidc: object): unknown[] => read(oidc).problems.map(({ code, place }) => [code, place]);
    expect(codes({ client_id: "vespid" })).toEqual([["serve/half-oidc", "oidc.issuer"]]);
    expect(codes({ ...whole, client_id: "", issuer: "http://login.example.com", redirect_url: "https://siem.example.com/" })).toEqual([["serve/bad-url", "oidc.issuer"], ["serve/half-oidc", "oidc.client_id"], ["serve/bad-url", "oidc.redirect_url"]]);
    expect(codes({ ...whole, default_role: "Readers" })).toEqual([["serve/half-oidc", "oidc.allowed_domains"]]);
    const named = read({ ...whole, client_secret_env: "VESPID_TEST_OIDC_SECRET" }).config.oidc!;
    expect(() => oidcSettings(named)).toThrow(expect.objectContaining({ problems: [expect.objectContaining({ code: "serve/no-oidc-secret", place: "oidc.client_secret_env" })] }));
    process.env.VESPID_TEST_OIDC_SECRET = "hush";
    expect([oidcSettings(named).clientSecret, JSON.stringify(named).includes("hush")]).toEqual(["hush", false]);
    delete process.env.VESPID_TEST_OIDC_SECRET;
    expect(codes({ ...whole, roles: ["soc"] })).toEqual([["serve/bad-setting", "oidc.roles"]]);
  });

  test.each(["[1, 2]", "{", "a: &x [*x]", `a: ${"[".repeat(5000)}`])("%.20s is refused, not a fault of ours", (text) => {
    expect(readConfig(text, "vespid.yaml", "/srv").problems.length).toBeGreaterThan(0);
  });
});

describe("fixtures/vespid.example.yaml", () => {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "vespid.example.yaml"), "utf8");
  /** With what is commented out: `# name:` and what stands below it. */
  const whole = text.replace(/^( *)# ( *(?:- )?[a-z_]+:(?: .*)?)$/gm, "$1$2");

  test("as it is, it says the defaults", () => {
    const { config, problems } = readConfig(text, "vespid.yaml", "/srv");
    expect(problems).toEqual([]);
    expect(config).toEqual({ ...defaultConfig("/srv"), rules: ["pack:linux-auth", "pack:web-access", "pack:cloudtrail"] });
  });

  test("every setting that there is stands in it, and none that there is not", () => {
    const { problems, places } = readConfig(whole, "vespid.yaml", "/srv");
    expect(problems).toEqual([]);
    const at = (place: string): unknown => place.split(/[.[\]]+/).filter(Boolean).reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], parse(whole));
    expect(places).toEqual(expect.arrayContaining(["data", "http.port", "http.tls.cert", "lines[0].needs_key", "retention.size", "tee.compression"]));
    expect(places.filter((place) => at(place) === undefined)).toEqual([]);
  });
});
