import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { asPackRule } from "../../host/pack-rules.ts";
import { packDifferences } from "../../host/cli/packs-diff.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { readRule } from "../../host/rule/wire.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { RuleStore } from "../../host/store/rules.ts";
import { TestRules, serverFolder } from "../serve/support.ts";

const URL = "/api/v2/security_monitoring/rules/brute";
const shipped = (more: object = {}): Rule => asPackRule(readRule({
  id: "brute", name: "Brute force", message: "Goal: x", isEnabled: true, type: "log_detection", tags: ["source:auth"],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "failed", query: "@evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "many", status: "medium", condition: "failed > 5" }], ...more,
}), "auth");

class Shipped extends TestRules {
  readonly #rules: readonly Rule[];
  constructor(rules: readonly Rule[]) {
    super([]);
    this.#rules = rules;
  }
  override async load() {
    const found = await super.load();
    return { ...found, setup: { ...found.setup, rules: this.#rules } };
  }
}

async function call(server: VespidServer, method: string, path: string, body?: unknown): Promise<any> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
  expect(answer.status).toBe(200);
  return await answer.json();
}

describe("an upgrade of a pack", () => {
  const folder = serverFolder();

  test("[RU-23] brings its new rules, and keeps severities, names, extensions, tags and switches of one's own", async () => {
    const data = join(folder.path, "data");
    const better = shipped({ name: "Password guessing", tags: ["source:auth", "pci:10.2.4"], queries: [{ name: "failed", query: "@evt.outcome:failure -@usr.id:probe", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "burst", status: "high", condition: "failed > 50" }, { name: "many", status: "low", condition: "failed > 5" }] });
    let server = await folder.start(new Shipped([shipped()]), { data });
    const before = await call(server, "GET", URL);
    await call(server, "PUT", URL, {
      ...before, name: "Ours", isEnabled: false, tags: [...before.tags, "team:blue"],
      queries: [{ ...before.queries[0], customQueryExtension: "-host:lab*" }], cases: [{ ...before.cases[0], status: "critical", notifications: ["@pager"] }],
    });
    const local = { customName: "Ours", isEnabled: false, tags: ["team:blue"], queries: { "name:failed": { customQueryExtension: "-host:lab*" } }, cases: { "name:many": { customStatus: "critical", notifications: ["@pager"] } } };
    await server.close();

    // What the upgrade will do is told before it is done.
    const sql = SqlDriver.openToRead(join(data, "vespid.db"));
    const told = packDifferences(new RuleStore(sql), [better]);
    sql.close();
    expect(told).toMatchObject([{ rule: "brute", what: "both", local }]);
    expect(told[0]!.pack.map(({ path }) => path)).toContain("queries[0].query");
    expect(told[0]!.pack.map(({ path }) => path)).not.toContain("customName");
    expect(told[0]!.conflicts).toEqual(["cases: the pack says other severities or conditions; notifications and severity of many stay yours", "name: the pack calls it Password guessing; Ours stays", "queries: the pack asks something else; your extension of failed is joined to it"]);

    server = await folder.start(new Shipped([better]), { data });
    const after = await call(server, "GET", URL);
    expect(after).toMatchObject({ version: before.version + 2, name: "Password guessing", customName: "Ours", isEnabled: false, queries: [{ query: "@evt.outcome:failure -@usr.id:probe", customQueryExtension: "-host:lab*" }] });
    expect(after.tags).toEqual(["source:auth", "pci:10.2.4", "team:blue"]);
    expect(after.cases).toMatchObject([{ name: "burst", status: "high" }, { name: "many", customStatus: "critical", notifications: ["@pager"] }]);
    const { data: history } = await call(server, "GET", `${URL}/version_history`);
    expect(history.attributes.count).toBe(3);
    await server.close();

    const again = SqlDriver.openToRead(join(data, "vespid.db"));
    expect(packDifferences(new RuleStore(again), [better])).toMatchObject([{ rule: "brute", what: "yours", local, pack: [], conflicts: [] }]);
    expect(packDifferences(new RuleStore(again), [better, { ...shipped(), id: "fresh" }]).map(({ rule, what }) => [rule, what])).toEqual([["brute", "yours"], ["fresh", "new"]]);
    again.close();
    expect(folder.faults).toEqual([]);
  });
});
