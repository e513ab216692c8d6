// Service logs with the alerts that another engine raised over them. Its scenarios are leaky buckets and ours are windows, so who and
// what is compared, not the moment.
import { describe, expect, test } from "vitest";
import { type InputProfile, createEngine } from "../../host/index.ts";
import { packPipelines } from "../../host/packs.ts";
import { readRule } from "../../host/rule/wire.ts";
import { hasShared, readShared } from "../support/shared.ts";

const FILE = "data/labelled-crowdsec/tests.jsonl.gz";

interface Labelled {
  readonly test: string;
  readonly log_type: string;
  readonly lines: readonly string[];
  readonly expected_overflows: ReadonlyArray<{ readonly scenario: string; readonly sources: readonly string[] | null }> | null;
}

interface Behaviour {
  readonly query: string;
  readonly condition: string;
  readonly windowSeconds: number;
  /** Counted once each. */
  readonly distinct?: string;
}

/** Behaviours that a threshold rule can say, as one. */
const behaviours: Readonly<Record<string, Behaviour>> = {
  "ssh-bf": { query: '@process.name:sshd (@evt.outcome:failure OR "Invalid user" OR "banner exchange")', condition: "a > 5", windowSeconds: 60 },
  "http-probing": { query: "@http.status_code:(400 OR 403 OR 404)", condition: "a > 10", windowSeconds: 300 },
  "http-sensitive-files": { query: "@http.url:(*/.ht* OR */.git* OR */.svn* OR */.env* OR *.bak* OR *.sql* OR *.pem* OR */.ssh* OR */.aws* OR *_history OR */.passwd* OR */.pwd* OR */.rhosts* OR */.profile*)", condition: "a > 4", windowSeconds: 60, distinct: "@http.url" },
  "http-admin-interface-probing": { query: "@http.status_code:404 @http.url:(*phpmyadmin* OR *myadmin* OR *cscoe* OR */admin* OR *pma*)", condition: "a > 2", windowSeconds: 60, distinct: "@http.url" },
  "http-dos-random-uri": { query: "@http.status_code:404", condition: "a > 30", windowSeconds: 60 },
  "http-wordpress-scan": { query: "@http.status_code:404 @http.url:(*/wp-*)", condition: "a > 2", windowSeconds: 300, distinct: "@http.url" },
  "http-cve-2021-41773": { query: "@http.url:*%2* @http.url_decoded:*../../*", condition: "a > 0", windowSeconds: 60 },
  "http-backdoors-attempts": { query: "@http.url:(*hell.php OR *_shell.* OR *c99.php OR *r57.php)", condition: "a > 1", windowSeconds: 60, distinct: "@http.url" },
  "http-open-proxy": { query: "@http.method:CONNECT OR @http.url:http*", condition: "a > 0", windowSeconds: 60 },
  "http-path-traversal-probing": { query: "@http.url_decoded:(*../* OR */etc/* OR *win.ini*)", condition: "a > 3", windowSeconds: 60, distinct: "@http.url" },
};

const inputs: Readonly<Record<string, InputProfile>> = {
  syslog: { format: "syslog", source: "auth" },
  apache2: { format: "text", source: "apache" },
  nginx: { format: "text", source: "nginx" },
};

function ruleOf(name: string, { query, condition, windowSeconds, distinct }: Behaviour): ReturnType<typeof readRule> {
  return readRule({
    id: name, name, message: "", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod: "threshold", evaluationWindow: windowSeconds, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: [{ name: "a", query, aggregation: distinct ? "cardinality" : "count", distinctFields: distinct ? [distinct] : [], groupByFields: ["@network.client.ip"] }],
    cases: [{ name: "", status: "medium", condition }],
  });
}

const labelled: Labelled[] = hasShared(FILE) ? new TextDecoder().decode(readShared(FILE)).trimEnd().split("\n").map((line) => JSON.parse(line) as Labelled) : [];
const nameOf = (scenario: string | null): string => scenario?.split("/").at(-1) ?? "";
const cases = labelled.flatMap((each) => {
  const wanted = new Set((each.expected_overflows ?? []).map(({ scenario }) => nameOf(scenario)).filter((name) => behaviours[name]));
  return inputs[each.log_type] ? [...wanted].map((behaviour) => ({ ...each, behaviour })) : [];
});

describe.skipIf(!hasShared(FILE))("labelled behaviours (skipped where ../shared is absent)", () => {
  test("there are some of each kind of log", () => {
    expect(new Set(cases.map(({ log_type }) => log_type))).toEqual(new Set(Object.keys(inputs)));
  });

  test.each(cases)("$test: $behaviour", async ({ lines, log_type, behaviour, expected_overflows }) => {
    const engine = await createEngine({ rules: [ruleOf(behaviour, behaviours[behaviour]!)], pipelines: await packPipelines() });
    await engine.push(new TextEncoder().encode(`${lines.join("\n")}\n`), { ...inputs[log_type]!, arrivalMs: Date.parse("2026-01-01T00:00:00Z") });
    await engine.close();
    const expected = expected_overflows!.filter(({ scenario }) => nameOf(scenario) === behaviour).flatMap(({ sources }) => sources ?? []);
    expect([...new Set(engine.finalSignals().map(({ group }) => group["@network.client.ip"]))].sort()).toEqual([...new Set(expected)].sort());
  });
});
