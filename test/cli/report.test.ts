import { describe, expect, test } from "vitest";
import { vespid, workFolder } from "./support.ts";

interface Report {
  readonly requirements: number;
  readonly covered: number;
  readonly rules: number;
  readonly tagged_rules: number;
  readonly by_requirement: ReadonlyArray<{ readonly requirement: string; readonly title: string; readonly covered: boolean; readonly rules: ReadonlyArray<{ readonly id: string; readonly judges: boolean; readonly reason?: string }> }>;
}

const folder = workFolder();
const rule = (id: string, tags: readonly string[], isEnabled = true): unknown => ({
  id, name: `Rule ${id}`, message: "", isEnabled, type: "log_detection", tags, options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "source:sso", aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 0" }],
});

describe("[IN-31] vespid report compliance", () => {
  test.each(["pci-dss", "soc2", "hipaa"])("%s: the rules that come along, by requirement, exit 0", async (framework) => {
    const shown = await vespid(["report", "compliance", "--framework", framework]);
    expect(shown.code, shown.stderr).toBe(0);
    const { stdout } = await vespid(["report", "compliance", "--framework", framework, "--json"]);
    const report = JSON.parse(stdout) as Report;
    expect(report.tagged_rules).toBeGreaterThan(20);
    expect(report.by_requirement).toHaveLength(report.requirements);
    expect(report.covered).toBe(report.by_requirement.filter(({ covered }) => covered).length);
    expect(report.covered).toBeGreaterThanOrEqual(5);
    // Every rule is listed under its requirement.
    const listed = report.by_requirement.reduce((sum, { rules }) => sum + rules.length, 0);
    expect(shown.stdout.split("\n").filter((line) => line.endsWith("  judges"))).toHaveLength(listed);
  });

  test("the sign-ins that were denied are what pci:10.2.4 is about", async () => {
    const { stdout } = await vespid(["report", "compliance", "--framework", "pci-dss", "--rules", "pack:linux-auth", "--json"]);
    const denied = (JSON.parse(stdout) as Report).by_requirement.find(({ requirement }) => requirement === "10.2.4")!;
    expect(denied).toMatchObject({ covered: true, title: "access that was denied" });
    expect(denied.rules.length).toBeGreaterThan(0);
  });

  test("a rule that is off covers nothing, a requirement that is not known is listed, and one without a rule says so", async () => {
    const rules = folder.write("rules.json", JSON.stringify([rule("on", ["pci:10.2.5", "pci:12.10"]), rule("off", ["PCI:10.2.6"], false), rule("none", ["soc2:CC6.1"])]));
    const { stdout } = await vespid(["report", "compliance", "--framework", "pci-dss", "--rules", rules, "--json"]);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ rules: 3, tagged_rules: 2, requirements: 9, covered: 2 });
    const of = (requirement: string) => report.by_requirement.find((each) => each.requirement === requirement)!;
    expect([of("10.2.5").covered, of("10.2.6").covered, of("12.10").covered, of("10.2.4").rules]).toEqual([true, false, true, []]);
    expect(of("10.2.6").rules).toMatchObject([{ id: "off", judges: false, reason: "it is disabled" }]);
    const shown = await vespid(["report", "compliance", "--framework", "pci-dss", "--rules", rules]);
    expect(shown.stdout).toMatch(/^PCI DSS: 2 of 9 requirements with a rule that judges; 2 rules of 3 have a tag pci:\.\.\.$/m);
    expect(shown.stdout).toMatch(/^10\.2\.4 +access that was denied +none +-$/m);
    expect(shown.stdout).toMatch(/^10\.2\.6 +Rule off +it is disabled$/m);
  });

  test("a framework that is not known is told, with those that are", async () => {
    const { code, stderr } = await vespid(["report", "compliance", "--framework", "iso"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("pci-dss, soc2, hipaa")]);
  });
});

describe("[CO-04] requirements of frameworks", () => {
  test.each([["pci-dss", "10.2.2", "ssh-root-password"], ["soc2", "CC6.1", "shadow-mode"], ["hipaa", "164.312(a)(1)", "shadow-mode"]])("%s: rules and checks of hosts that serve %s, and what nothing serves", async (framework, requirement, check) => {
    const { code, stdout } = await vespid(["report", "compliance", "--framework", framework, "--json"]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as any;
    const found = report.by_requirement.find((each: any) => each.requirement === requirement);
    expect(found.checks.map(({ id }: any) => id)).toContain(check);
    expect(found.rules.length).toBeGreaterThan(0);
    expect(report.gaps).toEqual(report.by_requirement.filter((each: any) => !each.covered && !each.checks.length).map((each: any) => each.requirement));
  });

  test("what neither a rule that judges nor a check serves is a gap", async () => {
    folder.write("gap.json", JSON.stringify([rule("off", ["pci:11.4"], false), rule("on", ["pci:10.2.1"])]));
    const { stdout } = await vespid(["report", "compliance", "--framework", "pci-dss", "--rules", "gap.json"], { cwd: folder.path });
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("gaps: nothing serves 10.2.3, 10.2.4, 10.2.7, 11.4");
    expect(stdout).toMatch(/^10\.2\.2 +what root and administrators do +none +\d+$/m);
    expect(stdout).toMatch(/^10\.2\.6 +audit-running +What programs do is written down$/m);
  });
});
