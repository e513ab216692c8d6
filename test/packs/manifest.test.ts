import { describe, expect, test } from "vitest";
import { defaultHealth, readPack } from "../../host/event/pipeline/packs.ts";

const plain = "name: a\nversion: 1.0.0\ntitle: A\nsources: [a]\npipelines: []\nrules: []\n";
const read = (more: string, files: Readonly<Record<string, string>> = {}) => readPack(plain + more, "a/manifest.yaml", (path) => files[path]);

describe("[CP-01] a manifest", () => {
  test("without the newer members is a good one", () => {
    expect(read("")).toMatchObject({ problems: [], category: undefined, guide: undefined, health: defaultHealth, integrations: [], changelog: [] });
    expect(read("", { "guide.md": "# How" }).guide).toBe("guide.md");
  });

  test("says category, guide, health, integrations and what changed", () => {
    const pack = read(`category: web
guide: how.md
integrations: [nginx]
health: { attributes: ["@evt.name", http.method], parse_failures: { warning: 1, broken: 10 }, quiet_hours: { broken: 48 } }
changelog:
  - { version: 1.0.0, changes: [began] }
`, { "how.md": "x" });
    expect(pack).toMatchObject({
      problems: [], category: "Web/WAF", guide: "how.md", integrations: ["nginx"], changelog: [{ version: "1.0.0", changes: ["began"] }],
      health: { attributes: [["evt", "name"], ["http", "method"]], parseFailures: { warning: 1, broken: 10 }, quietHours: { warning: 24, broken: 48 } },
    });
  });

  test.each([
    ["category: Everything", "category Everything is none"],
    ["guide: gone.md", "there is no gone.md"],
    ["health: 5", "health is no object"],
    ["health: { colour: red }", "health.colour is not known here and does nothing"],
    ["health: { attributes: [{}] }", "health.attributes is no list of attributes"],
    ["health: { parse_failures: { warning: 60, broken: 50 } }", "health.parse_failures is no pair of borders"],
    ["changelog: [1]", "changelog is no list of versions"],
    ["dashboards: []", "dashboards is not known here and does nothing"],
  ])("%s is refused with a way out", (more, message) => {
    const { problems } = read(more);
    expect(problems.map((problem) => problem.message)).toEqual([message]);
    expect(problems[0]!.hint).toBeTruthy();
  });
});
