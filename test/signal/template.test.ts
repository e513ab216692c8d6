import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type TemplateContext, renderTemplate } from "../../host/signal/template.ts";

const context: TemplateContext = {
  event: {
    message: "Root login", host: "web-1", tags: ["env:prod", "env:eu", "service:sso", "team.name:blue", "security:attack", "bare"],
    attributes: {
      usr: { id: "root", roles: ["admin", "ops"] }, network: { client: { ip: "203.0.113.9" } }, mfa: "No", count: 7, on: false, empty: "", none: null,
      list: [], nested: { a: 1, b: { c: "x" } }, "dotted.key": { x: "y" }, url: "/a b?c=ü&d", braces: "{{@usr.id}}", bytes: "2048",
    },
  },
  fallback: { attributes: { usr: { id: "not this" }, only: { here: "yes" } } },
  severity: 4, ruleName: "Console login", caseName: "root", firstSeenMs: 0, lastSeenMs: 90_061_000, eventsMatched: 12,
  eventsPerQuery: { a: 10, b: 2 },
};
const render = (template: string, changes: Partial<TemplateContext> = {}): string => renderTemplate(template, { ...context, ...changes });

describe("variables", () => {
  test.each([
    ["[NO-13] attribute", "{{@usr.id}}", "root"],
    ["[NO-13] blanks inside the braces", "{{ @usr.id }}", "root"],
    ["[NO-13] several values", "{{@usr.roles}}", "admin,ops"],
    ["[NO-13] a number and a flag", "{{@count}}/{{@on}}", "7/false"],
    ["[NO-13] of the event that triggered", "{{@only.here}}", "yes"],
    ["[NO-13] missing, null, empty", "[{{@gone}}{{@none}}{{@empty}}{{@list}}]", "[]"],
    ["[NO-13] an object", "{{@nested}}", '{"a":1,"b":{"c":"x"}}'],
    ["[NO-13] a key with dots", "{{@dotted.key.x}}", "y"],
    ["[NO-13] a value that looks like a template", "{{@braces}}", "{{@usr.id}}"],
    ["[NO-14] tag", "{{service.name}}", "sso"],
    ["[NO-14] tag of several values", "{{env.name}}", "prod,eu"],
    ["[NO-14] tag with a dot in its key", "{{[team.name].name}}", "blue"],
    ["[NO-14] tag by its key alone", "{{security}}", "attack"],
    ["[NO-14] reserved attribute where no tag has the name", "{{host.name}}{{host}}", "web-1web-1"],
    ["[NO-14] no such tag", "[{{gone.name}}]", "[]"],
    ["[NO-12] severity, rule, case", "{{severity}} {{rule_name}} {{case_name}}", "4 Console login root"],
    ["[NO-12] severity as a word", "{{severity_name}}", "critical"],
    ["[NO-12] times", "{{first_seen}}|{{timestamp}}|{{last_seen}}", "Thu Jan 01 00:00:00 UTC 1970|Thu Jan 01 00:00:00 UTC 1970|Fri Jan 02 01:01:01 UTC 1970"],
    ["[NO-12] times in milliseconds", "{{first_seen_epoch}}|{{timestamp_epoch}}|{{last_seen_epoch}}", "0|0|90061000"],
    ["[NO-12] counts", "{{events_matched}}={{events_matched_per_query.a}}+{{events_matched_per_query.b}}", "12=10+2"],
    ["[NO-12] the count of no query", "[{{events_matched_per_query.z}}{{events_matched_per_query.constructor}}]", "[]"],
    ["[NO-08] the signal's own names", "{{signal.rule.name}} {{signal.attributes.network.client.ip}} {{signal.severity}}", "Console login 203.0.113.9 critical"],
    ["unknown names", "[{{gone}}{{}}{{ }}{{constructor}}{{__proto__}}{{toString}}{{@__proto__}}{{@constructor.name}}]", "[]"],
    ["a comment", "a{{! say nothing }}b", "ab"],
  ])("%s", (_name, template, expected) => expect(render(template)).toBe(expected));

  test("the signal's own value wins over the event's", () => {
    expect(render("{{@usr.id}}", { fallback: { attributes: { usr: { id: "other" } } } })).toBe("root");
    expect(render("{{@usr.id}}", { event: {}, fallback: undefined })).toBe("");
  });

  test("[DE-56] the message of a root login", () => {
    const message = "**Root** logged in from {{@network.client.ip}}.\n{{#is_exact_match \"@mfa\" \"No\"}}No MFA was used.{{/is_exact_match}}{{^is_exact_match \"@mfa\" \"No\"}}MFA was used.{{/is_exact_match}}";
    expect(render(message)).toBe("**Root** logged in from 203.0.113.9.\nNo MFA was used.");
  });
});

describe("blocks", () => {
  test.each([
    ["is_match", '{{#is_match "@usr.id" "oo"}}yes{{/is_match}}', "yes"],
    ["is_match, not", '{{#is_match "@usr.id" "x"}}yes{{/is_match}}', ""],
    ["is_match, any value", '{{#is_match "@usr.roles" "op"}}yes{{/is_match}}', "yes"],
    ["is_match, any text", '{{#is_match "@usr.id" "x" "ro"}}yes{{/is_match}}', "yes"],
    ["is_match, turned", '{{^is_match "@usr.id" "x"}}no x{{/is_match}}', "no x"],
    ["is_match of a tag", '{{#is_match "env.name" "pro"}}prod{{/is_match}}', "prod"],
    ["is_match of a variable", '{{#is_match "rule_name" "login"}}login{{/is_match}}', "login"],
    ["is_match of nothing", '{{#is_match "@gone" "x"}}a{{/is_match}}{{^is_match "@gone" "x"}}b{{/is_match}}', "b"],
    ["is_match of a number", '{{#is_match "@count" "7"}}seven{{/is_match}}', "seven"],
    ["is_exact_match", '{{#is_exact_match "@usr.id" "root"}}yes{{/is_exact_match}}', "yes"],
    ["is_exact_match, part only", '{{#is_exact_match "@usr.id" "roo"}}yes{{/is_exact_match}}', ""],
    ["is_exact_match of severity", '{{#is_exact_match "severity" "4"}}page{{/is_exact_match}}', "page"],
    ["is_exact_match, turned", '{{^is_exact_match "@usr.id" "ann"}}not Ann{{/is_exact_match}}', "not Ann"],
    ["if", "{{#if @usr.id}}a{{/if}}{{#if @gone}}b{{/if}}{{#if @none}}c{{/if}}{{#if @list}}d{{/if}}", "a"],
    ["if, of false and of an object", "{{#if @on}}a{{/if}}{{#if @nested}}b{{/if}}", "ab"],
    ["if, turned", "{{^if @gone}}a{{/if}}", "a"],
    ["nested", '{{#if @usr.id}}1{{#is_match "@usr.id" "r"}}2{{#if @gone}}3{{/if}}4{{/is_match}}5{{/if}}6', "12456"],
    ["the same nested in itself", "{{#if @usr.id}}a{{#if @count}}b{{/if}}c{{/if}}d", "abcd"],
    ["a quote inside a text", '{{#is_match "@usr.id" "\\""}}yes{{/is_match}}no', "no"],
    ["braces inside a text", '{{#is_match "@braces" "}}"}}yes{{/is_match}}', "yes"],
    ["blanks everywhere", '{{ #if  @usr.id }}a{{ /if }}', "a"],
  ])("%s", (_name, template, expected) => expect(render(template)).toBe(expected));
});

describe("helpers", () => {
  test.each([
    ["eval", '{{eval "first_seen_epoch-15*60*1000"}}', "-900000"],
    ["eval of attributes and counts", '{{eval "@count * events_matched"}} {{eval "@bytes / 1024"}}', "84 2"],
    ["eval of a missing variable", '[{{eval "@gone + 1"}}]', "[]"],
    ["eval of a text", '[{{eval "@usr.id + 1"}}]', "[]"],
    ["eval that is malformed stays to be seen", '{{eval "1 +"}}', '{{eval "1 +"}}'],
    ["local_time", '{{local_time "last_seen" "Asia/Kolkata"}}', "1970-01-02 06:31:01+05:30"],
    ["local_time in UTC", '{{local_time "first_seen" "UTC"}}', "1970-01-01 00:00:00+00:00"],
    ["local_time west of it", '{{local_time "first_seen_epoch" "America/New_York"}}', "1969-12-31 19:00:00-05:00"],
    ["local_time of an attribute", '{{local_time "@count" "UTC"}}', "1970-01-01 00:00:00+00:00"],
    ["local_time by the documentation's own name", '{{local_time "last_triggered_at" "UTC"}}', "1970-01-02 01:01:01+00:00"],
    ["local_time in no zone", '[{{local_time "first_seen" "Mars/Olympus"}}]', "[]"],
    ["local_time of nothing", '[{{local_time "@gone" "UTC"}}]', "[]"],
    ["urlencode", '{{urlencode "@url"}}', "%2Fa%20b%3Fc%3D%C3%BC%26d"],
    ["urlencode of a tag", '{{urlencode "env.name"}}', "prod%2Ceu"],
    ["urlencode of nothing", '[{{urlencode "@gone"}}]', "[]"],
  ])("%s", (_name, template, expected) => expect(render(template)).toBe(expected));

  test("urlencode of half a character", () => expect(render('{{urlencode "@x"}}', { event: { attributes: { x: "\ud800" } } })).toBe("%EF%BF%BD"));
  test("times beyond all calendars are nothing", () => expect(render("[{{first_seen}}{{local_time \"first_seen\" \"UTC\"}}]", { firstSeenMs: 1e20 })).toBe("[]"));
});

describe("literal braces", () => {
  test.each([
    ["raw", "{{{{raw}}}}{{ .x }} {{@usr.id}}{{{{/raw}}}}!{{@usr.id}}", "{{ .x }} {{@usr.id}}!root"],
    ["a raw test that holds", '{{{{is_match "@usr.id" "ro"}}}}{{ .x }}{{{{/is_match}}}}', "{{ .x }}"],
    ["a raw test that does not", '{{{{is_match "@usr.id" "x"}}}}{{ .x }}{{{{/is_match}}}}', ""],
    ["a brace before a variable", '{"user":{{{@count}}}}', '{"user":{7}}'],
    ["single braces", '{"a": {"b": 1}}', '{"a": {"b": 1}}'],
    ["closing braces alone", "a }} b", "a }} b"],
  ])("%s", (_name, template, expected) => expect(render(template)).toBe(expected));
});

describe("malformed templates come out as they stand", () => {
  test.each([
    "{{@usr.id", "{{#if @usr.id}}x", "x{{/if}}", "{{#if @usr.id}}x{{/is_match}}", "{{#each @usr.roles}}x{{/each}}", "{{#is_match}}x{{/is_match}}", '{{#is_match "@a"}}x{{/is_match}}',
    "{{#if}}x{{/if}}", "{{#if @a @b}}x{{/if}}", "{{{{raw}}}}x", "{{{{raw", "{{{{other}}}}x{{{{/other}}}}", '{{local_time "first_seen"}}', '{{eval "1" "2"}}', "{{#}}x{{/}}", "{{^}}",
    `${"{{#if @usr.id}}".repeat(40)}x${"{{/if}}".repeat(40)}`, `${"x".repeat(65_537)}{{@usr.id}}`,
  ])("%s", (template) => expect(render(template)).toBe(template));
});

describe("whatever they hold", () => {
  test("values are never read as templates, patterns or code", () => {
    const hostile = ["{{@usr.id}}", "${7*7}", "$&$1", "{{eval \"1+1\"}}", "{{{{raw}}}}", "</script>", "\\"];
    for (const value of hostile) expect(render("<{{@x}}>", { event: { attributes: { x: value } } })).toBe(`<${value}>`);
  });

  test("output is bounded", () => {
    const out = render("{{@x}}".repeat(5000), { event: { attributes: { x: "y".repeat(100_000) } } });
    expect(out.length).toBe(256 * 1024);
    const nested = `${"{{#if @x}}".repeat(30)}${"{{@x}}".repeat(1000)}${"{{/if}}".repeat(30)}`;
    expect(render(nested, { event: { attributes: { x: "y".repeat(100_000) } } }).length).toBe(256 * 1024);
  });

  test("time grows with the template's length", () => {
    for (const piece of ["{{", "{{{{", "{{\"", "{{#if @a}}", '{{#is_match "@a" "', "{{{{raw}}}}", "{{@a}}", "}}", '{{eval "', "\\", '""', "{{{{a}}}}{{{{/b}}}}"]) expect(typeof render(piece.repeat(Math.floor(65_000 / piece.length)))).toBe("string");
  });

  test("never throws", () => {
    const piece = fc.constantFrom("{{", "}}", "{{{{", "}}}}", "#if ", "/if", "^", '"', "@usr.id", "is_match ", "is_exact_match", "eval ", "local_time ", "urlencode ", "raw", "/raw", " ", "severity", ".name", "[", "]", "\\", "x", "\n", "{", "}", "UTC", "1+1");
    fc.assert(fc.property(fc.oneof(fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join("")), fc.string({ unit: "binary" })), (template) => {
      expect(typeof render(template)).toBe("string");
    }), { numRuns: 3000, seed: 3 });
  });
});
