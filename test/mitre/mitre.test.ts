import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { coverage as coverageCommand } from "../../host/cli/coverage.ts";
import { attack, tacticOf, techniqueOf } from "../../host/mitre/attack.ts";
import { coverageOf, densityOf, navigatorLayer } from "../../host/mitre/coverage.ts";
import { readTags } from "../../host/mitre/tags.ts";
import { contentFolder } from "../../host/packs.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { TestRules, send, serverFolder } from "../serve/support.ts";

const table = attack(contentFolder());
const rule = (id: string, tags: readonly string[], isEnabled = true) => ({ id, name: `Rule ${id}`, isEnabled, tags });
const pairs = (...tags: readonly string[]): string[] => readTags(table, tags).pairs.map(({ tactic, technique }) => `${tactic.id} ${technique.id}`);

describe("ATT&CK as it is pinned", () => {
  test("[MI-07] the version is said; later ids stand for the pinned ones", () => {
    expect([table.version, table.tactics.length, table.techniques.size]).toEqual(["18.1", 14, 691]);
    expect(techniqueOf(table, "T1685.002")?.id).toBe("T1562.008");
    expect(techniqueOf(table, "T9999")).toBeUndefined();
    expect(tacticOf(table, "stealth")?.id).toBe("TA0005");
    expect(readFileSync(join(contentFolder(), "mitre-attack/LICENSE.txt"), "utf8")).toContain("The MITRE Corporation");
  });

  test.each<[readonly string[], readonly string[]]>([
    [["tactic:TA0006-credential-access", "technique:T1110-brute-force"], ["TA0006 T1110"]],
    [["TACTIC:ta0006", "Technique:t1110.001-password-guessing"], ["TA0006 T1110.001"]],
    [["mitre:T1078", "attack:initial-access"], ["TA0001 T1078"]],
    [["mitre:T1098.004", "attack:persistence"], ["TA0003 T1098.004"]],
    [["technique:T1078"], ["TA0001 T1078", "TA0003 T1078", "TA0004 T1078", "TA0005 T1078"]],
    [["tactic:TA0001", "tactic:TA0005", "technique:T1078"], ["TA0001 T1078", "TA0005 T1078"]],
    [["tactic:TA0006", "technique:TA0006", "technique:T1110"], ["TA0006 T1110"]],
    [["source:okta", "technique:T1110"], ["TA0006 T1110"]],
    [["tactic:TA0006"], []],
  ])("[MI-06] %j is read as %j", (tags, expected) => {
    expect(pairs(...tags).toSorted()).toEqual(expected.toSorted());
  });

  test("what is not so is remarked", () => {
    expect(readTags(table, ["technique:T9999"]).remarks).toEqual(["technique:T9999 is not in ATT&CK 18.1"]);
    expect(readTags(table, ["tactic:TA0040", "technique:T1110"]).remarks[0]).toContain("T1110 does not serve impact");
    expect(readTags(table, ["technique:TA0006", "mitre:T1110"]).remarks).toEqual(["technique:TA0006 names a tactic"]);
  });
});

describe("coverage", () => {
  test.each([[0, "none"], [1, "low"], [2, "low"], [3, "medium"], [6, "medium"], [7, "high"], [50, "high"]] as const)("[MI-02] %d rules are %s", (rules, density) => {
    expect(densityOf(rules)).toBe(density);
  });

  test("[MI-01] [MI-02] techniques with an enabled rule of theirs or of a sub-technique, and the four densities add up", () => {
    const found = coverageOf(table, [
      ...Array.from({ length: 7 }, (_, i) => rule(`b${i}`, ["tactic:TA0006", `technique:T1110.00${1 + (i % 4)}`])), rule("v", ["attack:initial-access", "mitre:T1078"]), rule("off", ["mitre:T1190"], false), rule("none", ["source:x"]),
    ]);
    expect([found.covered, found.total]).toEqual([2, 216]);
    expect(found.counts).toEqual({ high: 1, medium: 0, low: 1, none: 214 });
    expect(found.unmapped).toEqual(["none"]);
    const brute = found.tactics.find(({ tactic }) => tactic.id === "TA0006")!.techniques.find(({ technique }) => technique.id === "T1110")!;
    expect([brute.density, brute.rules.length, brute.subtechniques.filter(({ rules }) => rules.length).length]).toEqual(["high", 7, 4]);
    for (const { techniques, counts } of found.tactics) expect(Object.values(counts).reduce((sum, each) => sum + each)).toBe(techniques.length);
  });

  test("a layer for the Navigator has a score for each technique under each tactic", () => {
    const layer = navigatorLayer(coverageOf(table, [rule("v", ["tactic:TA0001", "technique:T1078.004"])]), "Mine") as { techniques: { techniqueID: string; tactic: string; score: number }[]; versions: unknown };
    expect(layer.techniques.map(({ techniqueID, tactic, score }) => [techniqueID, tactic, score])).toEqual([["T1078", "initial-access", 1], ["T1078.004", "initial-access", 1]]);
    expect(layer.versions).toEqual({ attack: "18", navigator: "5.1.0", layer: "4.5" });
  });

  test("vespid coverage prints and writes it for the packs that come along", async () => {
    const folder = mkdtempSync(join(tmpdir(), "vespid-coverage-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    expect(await coverageCommand({ navigator: join(folder, "layer.json"), json: true })).toBe(0);
    expect((JSON.parse(readFileSync(join(folder, "layer.json"), "utf8")) as { techniques: unknown[] }).techniques.length).toBeGreaterThan(20);
    await expect(coverageCommand({ tactic: "nothing" })).rejects.toThrow("there is no tactic nothing");
  });
});

describe("the map of a server", () => {
  const folder = serverFolder();
  const detection = (id: string, tags: readonly string[], isEnabled = true): Record<string, unknown> => ({
    id, name: id, message: "", isEnabled, type: "log_detection", tags, options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: [{ name: "a", query: `@evt.name:${id}`, aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "a > 0" }],
  });
  const ask = async (server: VespidServer, query: string): Promise<any> => ((await (await fetch(`http://127.0.0.1:${server.address.port}/api/v2/security_monitoring/mitre_attack${query}`)).json()) as any).data.attributes;

  test("[MI-03] [MI-04] [MI-05] by rules or by signals, each tile leading to what it counts", async () => {
    const server = await folder.start(new TestRules([detection("guess", ["tactic:TA0006-credential-access", "technique:T1110-brute-force"]), detection("use", ["tactic:TA0001-initial-access", "technique:T1078.004-cloud-accounts"]), detection("off", ["tactic:TA0001", "technique:T1190"], false)]));
    expect(await send(server, [{ evt: { name: "guess" }, usr: { id: "a" } }, { evt: { name: "guess" }, usr: { id: "b" } }, { evt: { name: "use" }, usr: { id: "a" } }])).toBe(202);
    await server.detection.storeSignals();
    const rules = await ask(server, "?sources=all");
    expect([rules.version, rules.mode, rules.covered]).toEqual(["18.1", "rules", 2]);
    const signals = await ask(server, "?mode=signals&from=now-1h&to=now%2B1m");
    const tactics = Object.fromEntries(signals.tactics.map(({ id, signals: count, techniques }: any) => [id, [count, Object.fromEntries(techniques.filter((each: any) => each.signals).map((each: any) => [each.id, each.signals]))]]));
    expect(tactics).toMatchObject({ TA0006: [2, { T1110: 2 }], TA0001: [1, { T1078: 1 }], TA0040: [0, {}] });
    expect(signals.tactics[2].href).toMatch(/^\/security\/signals\?query=tactic.*&from=\d+&to=\d+$/);
    expect(rules.tactics[2].href).toMatch(/^\/security\/rules\?query=isEnabled%3Atrue%20tactic/);
    expect((await ask(server, "?density=low")).tactics.flatMap(({ techniques }: any) => techniques.map(({ id }: any) => id)).toSorted()).toEqual(["T1078", "T1110"]);
  });

  test("[MI-01] [MI-05] what a place of the map counts is what its addresses find, whatever tags say together, by source, origin and activity", async () => {
    const server = await folder.start(new TestRules([
      detection("guess", ["tactic:TA0006-credential-access", "technique:T1110-brute-force", "source:auth"]), detection("both", ["tactic:TA0001-initial-access", "tactic:TA0005-defense-evasion", "technique:T1078.004-cloud-accounts", "source:okta"]),
      detection("bare", ["technique:T1078-valid-accounts", "source:auth"]), detection("wrong", ["tactic:TA0040-impact", "mitre:T1078"]), detection("loose", ["attack:initial-access", "source:okta"]),
    ]), { data: join(folder.path, "links") });
    const now = Date.now();
    expect(await send(server, ["guess", "both", "bare", "wrong", "loose", "both"].map((name, i) => ({ evt: { name }, usr: { id: `u${i}` }, ddsource: "auth", timestamp: now - 1000 })))).toBe(202);
    await server.detection.storeSignals();
    const found = async (href: string): Promise<number> => {
      const { pathname, searchParams } = new URL(href, "http://x");
      const query = encodeURIComponent(searchParams.get("query")!);
      const path = pathname === "/security/rules" ? `rules?page[size]=100&query=${query}` : `signals?page[limit]=100&filter[query]=${query}&filter[from]=${searchParams.get("from")}&filter[to]=${searchParams.get("to")}`;
      return ((await (await fetch(`http://127.0.0.1:${server.address.port}/api/v2/security_monitoring/${path}`)).json()) as { data: unknown[] }).data.length;
    };
    for (const filter of ["&sources=all", "&sources=all&source=auth", "&sources=all&source=auth,okta&origin=custom", ""]) {
      const map = await ask(server, `?mode=signals&from=now-1h&to=now%2B1m${filter}`);
      let counted = 0;
      for (const tactic of map.tactics) {
        expect([filter, tactic.id, await found(tactic.rules_href), await found(tactic.signals_href)]).toEqual([filter, tactic.id, tactic.rules, tactic.signals]);
        for (const { id, rules, signals, rules_href: rulesHref, signals_href: signalsHref, subtechniques } of tactic.techniques.filter((each: any) => ["T1078", "T1110", "T1190"].includes(each.id))) {
          expect([filter, tactic.id, id, await found(rulesHref), await found(signalsHref)]).toEqual([filter, tactic.id, id, rules.length, signals]);
          for (const sub of subtechniques) expect(await found(sub.signals_href)).toBe(sub.signals);
          counted += signals;
        }
      }
      expect(counted).toBeGreaterThan(0);
    }
    const all = await ask(server, "?sources=all");
    const tiles = (map: any): string[] => map.tactics.flatMap(({ id, techniques }: any) => techniques.filter(({ rules }: any) => rules.length).map((each: any) => `${id} ${each.id} ${each.rules.length} of ${each.rules_in_all} ${each.density}`));
    expect(tiles(all)).toEqual(["TA0001 T1078 3 of 3 medium", "TA0003 T1078 2 of 3 medium", "TA0004 T1078 2 of 3 medium", "TA0005 T1078 3 of 3 medium", "TA0006 T1110 1 of 1 low"]);
    expect(all.sources).toEqual([{ source: "auth", rules: 2, active: true }, { source: "okta", rules: 2, active: false }]);
    // A rule of no source looks at whatever comes.
    const active = await ask(server, "?sources=active");
    expect(await ask(server, "")).toEqual(active);
    expect(tiles(active)).toEqual(["TA0001 T1078 2 of 2 low", "TA0003 T1078 2 of 2 low", "TA0004 T1078 2 of 2 low", "TA0005 T1078 2 of 2 low", "TA0006 T1110 1 of 1 low"]);
    expect([(await ask(server, "?origin=default")).covered, (await ask(server, "?source=okta")).covered, (await ask(server, "?source=okta&sources=all")).covered]).toEqual([0, 0, 1]);
    // As many distinct techniques are shown as the density's number says.
    for (const density of ["high", "medium", "low", "none"]) expect(new Set((await ask(server, `?sources=all&density=${density}`)).tactics.flatMap(({ techniques }: any) => techniques.filter((each: any) => density !== "none" || each.rules_in_all === 0).map(({ id }: any) => id))).size).toBe(all.density[density]);
    const layer = (await (await fetch(`http://127.0.0.1:${server.address.port}/api/v2/security_monitoring/mitre_attack/navigator?source=okta&sources=all`)).json()) as { techniques: { techniqueID: string }[] };
    expect(layer.techniques.map(({ techniqueID }) => techniqueID)).toEqual(["T1078", "T1078.004", "T1078", "T1078.004"]);
  });
});
