import { describe, expect, test } from "vitest";
import { MASK, masked } from "../../host/control/audit/mask.ts";
import { auditRecord } from "../../host/control/audit/record.ts";
import { person } from "./support.ts";

const hex = (length: number): string => "0123456789abcdef".repeat(3).slice(0, length);

describe("secrets in what is written down", () => {
  const named = ["password", "userPassword", "passwd", "api_key", "apiKey", "API-KEY", "x-api-key", "application_key", "appKey", "token", "access_token", "refreshToken", "client_secret", "clientSecret", "webhook", "webhookUrl", "webhook_secret", "private_key", "Authorization", "Cookie", "set-cookie", "aws_secret_access_key", "connection_string", "passphrase", "signingKey", "credentials", "dd-api-key", "tokens"];
  test.each(named)("[AU-05] nothing that stands under %s is told, however deep", (name) => {
    const secret = "hunter2 is no form";
    for (const value of [{ [name]: secret }, { a: [{ b: { [name]: secret } }] }, { [name]: [secret, { value: secret, other: [secret] }] }, { [name]: { inner: { deeper: secret } } }, { headers: [{ name, value: secret }] }]) {
      const text = JSON.stringify(masked(value));
      expect(text).not.toContain("hunter2");
      expect(text).toContain(MASK);
    }
  });

  const forms: readonly (readonly [string, string, string])[] = [
    ["an API key", hex(32), hex(32)], ["an application key", hex(40), hex(40)], ["a Slack webhook", "tell https://hooks.slack.com/services/T000/B000/XXXXabcdef now", "XXXXabcdef"],
    ["a Discord webhook", "https://discord.com/api/webhooks/123/abcDEF", "abcDEF"], ["a Slack token", "use xoxb-1234567890-abcdefghij", "abcdefghij"], ["a GitHub token", `ghp_${"a1".repeat(18)}`, "a1a1"],
    ["a JSON web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF_-123", "eyJzdWIi"], ["a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc+/=\n-----END RSA PRIVATE KEY-----", "MIIEabc"],
    ["a bearer's header", "Authorization: Bearer abcdef123456", "abcdef123456"], ["a password in an address", "postgres://app:s3cr3tpw@db:5432/x", "s3cr3tpw"], ["a key of a query", "https://a.example/hook?x=1&api_key=zzz999&y=2", "zzz999"],
    ["an AWS pair", `AKIAABCDEFGHIJKLMNOP ${"q".repeat(40)}`, "qqqq"], ["a key after its header", "curl -H 'DD-API-KEY: notHexButSecret1' x", "notHexButSecret1"],
  ];
  test.each(forms)("[AU-05] %s is known by its form, whatever it stands under", (_, text, secret) => {
    for (const value of [text, { query: text }, { list: [{ message: text }] }]) expect(JSON.stringify(masked(value))).not.toContain(secret);
  });

  test("what is none is told as it is", () => {
    const rule = {
      name: "Password spraying", query: "source:auth @evt.outcome:failure @usr.password_changed:true", message: "Somebody tries tokens and passwords. {{@usr.id}}", groupByFields: ["@usr.id"], tags: ["security:attack", "technique:T1110"],
      cases: [{ name: "", status: "high", condition: "a > 5", notifications: ["@slack-soc", "@webhook-siem"] }], options: { keepAlive: 3600 }, key_id: "k-1", tokenCount: 5, api_key_name: "web", key: "env", hasPassword: true, sha1: hex(40), md5: hex(32), id: hex(32),
      address: "https://example.com/a?q=1", version: 3, empty: "", password: "", nothing: null,
    };
    expect(masked(rule)).toEqual(rule);
  });

  test("a value is not changed by looking at it, and hostile ones end", () => {
    const value = { password: "x", __proto__: null, a: [1, undefined, Number.NaN] };
    const before = JSON.stringify(value);
    masked(value);
    expect(JSON.stringify(value)).toBe(before);
    let deep: unknown = "x";
    for (let i = 0; i < 5000; i++) deep = { a: deep };
    expect(JSON.stringify(masked(deep)).length).toBeLessThan(1000);
    expect(Object.keys(masked(JSON.parse('{"__proto__": {"password": "x"}}')) as object)).toEqual(["__proto__"]);
    for (const text of ["-----BEGIN PRIVATE KEY-----".repeat(2000), "eyJ".repeat(20_000), "eyJaaaaaaaa-".repeat(2700), "a:".repeat(30_000), `https://${"a".repeat(60_000)}`, "token=".repeat(8000)]) expect(typeof masked(text)).toBe("string");
  });

  test("a record stays a log: what is too long is told by how it begins", () => {
    const { attributes, message } = auditRecord(person("ann"), { action: "modified", asset: { type: "x", id: "1", name: `key ${hex(32)} token=zzz999` }, before: { list: Array.from({ length: 50_000 }, (_, i) => `value ${i}`) }, after: { password: "x" } }, undefined, 0);
    expect(JSON.stringify(attributes).length).toBeLessThan(20_000);
    expect(attributes.asset).toMatchObject({ prev_value: { truncated: true, beginning: expect.stringContaining("value 1") }, new_value: { password: MASK } });
    expect(message).not.toContain("zzz999");
  });
});
