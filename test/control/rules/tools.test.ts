import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import type { VespidServer } from "../../../host/serve/server.ts";
import { SqlDriver } from "../../../host/store/driver.ts";
import { KeyStore } from "../../../host/store/keys.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { PeopleStore } from "../../../host/store/people.ts";
import { TestRules, send, serverFolder, until } from "../../serve/support.ts";
import { BASE, type Wire, ask, failedLogin, loginRule, signalled } from "./support.ts";

const folder = serverFolder();
const start = (name: string, rules: readonly Wire[] = []): Promise<VespidServer> => folder.start(new TestRules(rules), { data: join(folder.path, name) });
const namesIn = (zip: Buffer): string[] => Object.keys(unzipSync(zip));
const bulk = (type: string, ruleIds: readonly string[]): Wire => ({ data: { type, attributes: { ruleIds } } });

describe("unit tests of rules", () => {
  const rule = loginRule({ queries: [{ name: "a", query: "source:auth @evt.outcome:failure", groupByFields: ["@usr.id"] }, { name: "b", query: "service:vpn env:prod host:gate-1 locked" }], cases: [{ name: "", status: "low", condition: "a > 9 && b > 0" }] });
  const payload = { ddsource: "auth", ddtags: "env:prod,team:blue", hostname: "gate-1", service: "vpn", message: JSON.stringify({ evt: { outcome: "failure" }, note: "account locked" }) };

  test("[RU-17] say whether a log matches a query as expected, both ways; JSON messages are read, groups and counts are not looked at", async () => {
    const server = await start("tests");
    const ask1 = async (payloads: readonly Wire[]): Promise<unknown> => (await ask(server, "POST", `${BASE}/test`, { rule, ruleQueryPayloads: payloads })).body;
    expect(await ask1([{ index: 0, expectedResult: true, payload }, { index: 0, expectedResult: false, payload }, { index: 1, expectedResult: true, payload }, { index: 0, expectedResult: false, payload: { ...payload, ddsource: "web" } }, { expectedResult: true, payload: { ddsource: "auth", message: "x", evt: { outcome: "failure" } } }]))
      .toEqual({ results: [true, false, true, true, true] });
    const { id } = (await ask(server, "POST", BASE, rule)).body;
    expect((await ask(server, "POST", `${BASE}/${id}/test`, { rule: loginRule({ queries: [] }), ruleQueryPayloads: [{ index: 1, expectedResult: false, payload }] })).body).toEqual({ results: [false] });
    expect((await ask(server, "POST", `${BASE}/test`, { rule })).body).toEqual({ results: [] });
    for (const bad of [{ ruleQueryPayloads: [] }, { rule, ruleQueryPayloads: [{ index: 2, expectedResult: true, payload }] }, { rule, ruleQueryPayloads: [{ index: 0, expectedResult: true }] }, { rule: { name: "no rule" }, ruleQueryPayloads: [] }]) {
      expect((await ask(server, "POST", `${BASE}/test`, bad)).status).toBe(400);
    }
    expect((await ask(server, "POST", `${BASE}/aaa-bbb-ccc/test`, { ruleQueryPayloads: [] })).status).toBe(404);
  });

  test("[RU-17] filter by reference tables, and test a vendor's cases by their numbers", async () => {
    const server = await start("tables");
    const upload = (await ask(server, "POST", "/api/v2/reference-tables/uploads", { data: { type: "upload", attributes: { headers: ["user"], part_count: 1, part_size: 5_000_000, table_name: "watched" } } })).body.data;
    await fetch(upload.attributes.part_urls[0], { method: "PUT", body: "user\nann\n", headers: { "content-type": "text/csv" } });
    expect((await ask(server, "POST", "/api/v2/reference-tables/tables", { data: { type: "reference_table", attributes: { table_name: "watched", schema: { fields: [{ name: "user", type: "STRING" }], primary_keys: ["user"] }, source: "LOCAL_FILE", file_metadata: { upload_id: upload.id } } } })).status).toBe(201);
    const joined = loginRule({ referenceTables: [{ tableName: "watched", columnName: "user", logFieldPath: "@usr.id", checkPresence: true, ruleQueryName: "a" }] });
    const payloads = ["ann", "bob"].map((user) => ({ index: 0, expectedResult: true, payload: failedLogin(user) }));
    expect((await ask(server, "POST", `${BASE}/test`, { rule: joined, ruleQueryPayloads: payloads })).body).toEqual({ results: [true, false] });
    await ask(server, "POST", BASE, { ...joined, cases: [{ name: "", status: "low", condition: "a > 0" }] });
    await send(server, ["ann", "bob"].map(failedLogin));
    expect((await signalled(server)).map((text) => text.split(" ")[1])).toEqual(["ann"]);
    const { queries: _queries, cases: _cases, ...vendor } = loginRule({ options: { detectionMethod: "third_party", thirdPartyRuleOptions: { rootQueries: [{ query: "source:edr", groupByFields: ["host"] }], defaultStatus: "info" } }, thirdPartyCases: [{ query: "@level:1", status: "low" }, { query: "@level:2", status: "high" }] });
    const alert = { ddsource: "edr", message: "alert", level: 2 };
    expect((await ask(server, "POST", `${BASE}/test`, { rule: vendor, ruleQueryPayloads: [{ index: 0, expectedResult: false, payload: alert }, { index: 1, expectedResult: true, payload: alert }, { index: 1, expectedResult: true, payload: { ...alert, ddsource: "web" } }] })).body).toEqual({ results: [true, true, false] });
    expect((await ask(server, "POST", `${BASE}/test`, { rule: vendor, ruleQueryPayloads: [{ index: 2, payload: alert }] })).status).toBe(400);
  });
});

describe("a preview", () => {
  test("[SE-08] tells the last logs that the queries of a rule match, and how many there are", async () => {
    const server = await start("preview");
    await send(server, [...Array.from({ length: 15 }, (_, i) => failedLogin(`user${i}`)), { ddsource: "auth", message: "fine", evt: { outcome: "success" } }]);
    const look = async (body: Wire): Promise<any> => {
      const { status, body: found, text } = await ask(server, "POST", `${BASE}/preview`, body);
      if (status !== 200) throw new Error(`${text} ${folder.faults.map((each) => (each as [string, Error])[1].stack).join()}`);
      return found;
    };
    let found: any;
    await until(async () => (found = await look({ queries: [{ query: "source:auth @evt.outcome:failure" }, { name: "ok", query: "@evt.outcome:success" }], limit: 3 })).data[0].attributes.count === 15);
    expect(found.data.map(({ id, type, attributes: { count, complete, ids, logs } }: any) => [id, type, count, complete, ids.length, logs.length])).toEqual([["a", "rule_query_preview", 15, true, 3, 3], ["ok", "rule_query_preview", 1, true, 1, 1]]);
    const [first] = found.data[0].attributes.logs;
    expect([first.id, first.type, first.attributes.attributes.usr.id]).toEqual([found.data[0].attributes.ids[0], "log", expect.stringMatching(/^user/)]);
    expect((await look({ rule: loginRule({ queries: [{ name: "a", query: "source:auth @evt.outcome:failure", customQueryExtension: "@usr.id:user1*" }] }), limit: 0 })).data[0].attributes).toMatchObject({ count: 6, ids: [] });
    expect((await look({ queries: [{ query: "*" }], to: "now-1h" })).data[0].attributes.count).toBe(0);
    for (const bad of [{}, { queries: [] }, { queries: [{ query: "source:(" }] }, { queries: [{}] }, { queries: [{ query: "*" }], from: "yesterday" }, { rule: {} }]) expect((await ask(server, "POST", `${BASE}/preview`, bad)).status).toBe(400);
  });
});

describe("a preview of somebody whose role sees some logs only", () => {
  test("[SE-08] tells of these alone, and who may not read logs is refused", async () => {
    const data = join(folder.path, "restricted");
    const server = await folder.start(new TestRules([]), { data });
    const sql = SqlDriver.open(join(data, "vespid.db"), migrations);
    const [people, keys] = [new PeopleStore(sql), new KeyStore(sql)];
    const api = keys.create("api", "tests", 0).key;
    const keysOf = (name: string, permission: string, restrictionQuery?: string): Record<string, string> => {
      const user = people.addUser({ email: `${name}@example.com`, name }, 0);
      people.giveRole(user.id, people.addRole(name, [permission], 0, restrictionQuery === undefined ? {} : { restrictionQuery }).id);
      return { "dd-api-key": api, "dd-application-key": keys.create("application", name, 0, { ownerId: user.id }).key };
    };
    const [some, none] = [keysOf("some", "logs_read_data", "@usr.id:ann"), keysOf("none", "security_monitoring_rules_write")];
    sql.close();
    await send(server, ["ann", "bob", "ann"].map(failedLogin));
    const body = { queries: [{ query: "source:auth OR @usr.id:bob" }] };
    await until(async () => (await ask(server, "POST", `${BASE}/preview`, body)).body.data[0].attributes.count === 3);
    const { count, logs } = (await ask(server, "POST", `${BASE}/preview`, body, some)).body.data[0].attributes;
    expect([count, logs.map((log: any) => log.attributes.attributes.usr.id)]).toEqual([2, ["ann", "ann"]]);
    expect((await ask(server, "POST", `${BASE}/preview`, body, none)).status).toBe(403);
  });
});

describe("rules as files", () => {
  test("[RU-24] exported and imported again they are the same rules, under the same ids", async () => {
    const server = await start("round");
    const made: Wire[] = [];
    for (const name of ["Über ../rule", "Same name", "same name", "CON"]) made.push((await ask(server, "POST", BASE, loginRule({ name, custom: [1, { two: 2 }] }))).body);
    const ids = made.map(({ id }) => id);
    const zip = await ask(server, "POST", `${BASE}/bulk_export`, bulk("security_monitoring_rules_bulk_export", ids));
    expect([zip.status, zip.headers.get("content-type"), namesIn(zip.bytes)]).toEqual([200, "application/zip", ["Über_.._rule.json", "Same_name.json", "same_name_2.json", "rule_CON.json"]]);
    expect((await ask(server, "POST", `${BASE}/bulk_export`, bulk("security_monitoring_rules_bulk_export", [...ids, "aaa-bbb-ccc"]))).status).toBe(404);
    const gone = await ask(server, "DELETE", `${BASE}/bulk_delete`, bulk("bulk_delete_rules", [...ids, "aaa-bbb-ccc"]));
    expect(gone.body.data).toMatchObject({ type: "bulk_delete_response", attributes: { deletedRules: ids, failedRules: ["aaa-bbb-ccc"] } });
    expect((await ask(server, "GET", BASE)).body.meta.page.total_count).toBe(0);
    const back = await ask(server, "POST", `${BASE}/bulk_import`, zip.bytes);
    const plain = ({ createdAt: _at, lint: _lint, ...rest }: Wire): Wire => rest;
    expect(back.body.data.map(plain)).toEqual(made.map(plain));
    // Once more each is its own next version; as JSON, all or none.
    expect((await ask(server, "POST", `${BASE}/bulk_import`, zip.bytes)).body.data.map(({ id, version }: Wire) => [id, version])).toEqual(ids.map((id) => [id, 2]));
    const bad = await ask(server, "POST", `${BASE}/bulk_import`, JSON.stringify([loginRule({ name: "good" }), loginRule({ name: "bad", queries: [] })]));
    expect([bad.status, bad.body.errors[0], bad.body.error.details[0].target]).toEqual([400, "Invalid rule configuration", "body:1:queries"]);
    expect((await ask(server, "GET", BASE)).body.meta.page.total_count).toBe(4);
    const yaml = await ask(server, "POST", `${BASE}/bulk_import`, 'rules:\n  - name: From YAML\n    message: ""\n    isEnabled: true\n    queries: [{ query: "source:auth" }]\n    cases: [{ status: low, condition: "a > 0" }]\n    options: {}\n');
    expect(yaml.body.data[0]).toMatchObject({ name: "From YAML", version: 1 });
    for (const bytes of ["", "[]", "{", Buffer.from("PK\u0003\u0004broken", "latin1"), Buffer.from(zipSync({ "readme.txt": new Uint8Array(3) }))]) expect((await ask(server, "POST", `${BASE}/bulk_import`, bytes)).status).toBe(400);
    // What takes memory or keeps logs waiting is refused before it does.
    const liar = Buffer.from(zipSync({ "a.json": new Uint8Array(60 * 1024 * 1024).fill(32) }));
    for (let at = 0; at < liar.length - 28; at++) if (liar.readUInt32LE(at) === 0x02014b50) liar.writeUInt32LE(100, at + 24);
    const hostile: readonly (readonly [string | Uint8Array, string])[] = [
      [liar, "the ZIP unpacks to more than"],
      [liar.subarray(0, liar.length - 30), "the ZIP cannot be read"],
      [`rules:\n${"- {name: x, message: y}\n".repeat(50_000)}`, "takes too long to read"],
      [JSON.stringify(Array.from({ length: 2001 }, () => ({}))), "there are 2001 rules in it"],
      [JSON.stringify(Array.from({ length: 2000 }, () => ({}))), "Invalid rule configuration"],
      [JSON.stringify(["a", "b"].map((name) => loginRule({ id: "two-two-two", name }))), "id"],
    ];
    for (const [bytes, why] of hostile) {
      const { status, body } = await ask(server, "POST", `${BASE}/bulk_import`, bytes);
      expect([status, body.errors.join()]).toEqual([400, expect.stringContaining(why)]);
      expect(body.errors.length).toBeLessThan(300);
    }
  });

  test("[RU-24] as text for Terraform, names and texts of others cannot break out of it", async () => {
    const server = await start("terraform", [{ ...loginRule(), id: "pack-logins", isDefault: true }]);
    const hostile = loginRule({ name: 'x" {}\n${file("/etc/passwd")}', queries: [{ name: "a", query: 'source:auth "quoted \\" text"', groupByFields: ["@usr.id"] }] });
    const { terraformContent } = (await ask(server, "POST", `${BASE}/convert`, hostile)).body;
    const lines = terraformContent.split("\n") as string[];
    expect(lines[0]).toBe('resource "datadog_security_monitoring_rule" "x_file_etc_passwd_" {');
    expect(lines[1]).toBe('\tname = "x\\" {}\\n$${file(\\"/etc/passwd\\")}"');
    expect(lines.filter((line) => !/^\t*(?:[a-z_]+ (?:\{|= .+)|\}|resource .*)?$/.test(line))).toEqual([]);
    const of = (await ask(server, "GET", `${BASE}/pack-logins/convert`)).body;
    expect(of.ruleId).toBe("pack-logins");
    expect(of.terraformContent).toBe(`resource "datadog_security_monitoring_rule" "failed_logins" {
	name = "Failed logins"
	enabled = true
	query {
		query = "source:auth @evt.outcome:failure"
		group_by_fields = ["@usr.id"]
		has_optional_group_by_fields = false
		distinct_fields = []
		aggregation = "count"
		name = "a"
		data_source = "logs"
	}
	options {
		keep_alive = 3600
		max_signal_duration = 86400
		detection_method = "threshold"
		evaluation_window = 300
	}
	case {
		name = "many"
		status = "medium"
		notifications = []
		condition = "a > 2"
	}
	message = "Look at {{@usr.id}}."
	tags = ["security:attack", "source:auth", "tactic:TA0006-credential-access", "technique:T1110-brute-force"]
	has_extended_title = false
	type = "log_detection"
}
`);
    const zip = await ask(server, "POST", `${BASE}/convert/bulk`, bulk("security_monitoring_rules_convert_bulk", ["pack-logins"]));
    expect([namesIn(zip.bytes), Buffer.from(unzipSync(zip.bytes)["Failed_logins.tf"]!).toString()]).toEqual([["Failed_logins.tf"], of.terraformContent]);
  });

  test("[RU-12] tags that are unusual are told, and taken", async () => {
    const server = await start("lint");
    const { body } = await ask(server, "POST", BASE, loginRule({ tags: ["security:robbery"] }));
    expect(body.lint.filter(({ place }: Wire) => place.startsWith("tags")).map(({ code }: Wire) => code).toSorted()).toEqual(["lint/no-tactic", "lint/no-technique", "lint/security-tag"]);
    for (const value of ["attack", "threat-intel", "compliance", "anomaly", "data-leak"]) expect(JSON.stringify((await ask(server, "POST", BASE, loginRule({ tags: [`security:${value}`] }))).body.lint)).not.toContain("lint/security-tag");
  });
});
