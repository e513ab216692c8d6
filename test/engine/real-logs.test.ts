import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createEngine, createMatcher, type InputProfile } from "../../host/index.ts";
import { packPipelines } from "../../host/packs.ts";
import { readRule } from "../../host/rule/wire.ts";
import type { Signal } from "../../host/signal/signal.ts";
import { queryOf } from "../support/query.ts";
import { hasShared, readShared, readSharedJson } from "../support/shared.ts";

interface QueryFact {
  readonly query: string;
  readonly count: number;
  readonly lines?: readonly number[];
  readonly lines_sha256?: string;
}
interface WindowFact {
  readonly query: string;
  readonly group_by: readonly string[];
  readonly metric: string;
  readonly window_s: number;
  readonly groups_over: Readonly<Record<string, number>>;
  readonly top: ReadonlyArray<{ readonly group: readonly string[]; readonly first_over?: Readonly<Record<string, { readonly ts: number }>> }>;
}
interface Facts {
  readonly queries: readonly QueryFact[];
  readonly windows: readonly WindowFact[];
}

const profile: InputProfile = { format: "raw" };
const arrivalMs = Date.parse("2026-01-01T00:00:00Z");

interface Corpus {
  readonly folder: string;
  readonly file: string;
  readonly input: InputProfile & { readonly arrivalMs: number };
  /** What the facts call an attribute that the pack calls otherwise. */
  readonly renamed?: readonly [string, string];
}

/** Records as somebody else parsed them, and the lines themselves, which the packs' pipelines read. */
const corpora: readonly Corpus[] = [
  { folder: "linux-auth-elastic", file: "parsed.jsonl.gz", input: { ...profile, arrivalMs } },
  { folder: "web-access-apache", file: "parsed.jsonl.gz", input: { ...profile, arrivalMs } },
  { folder: "cloudtrail-invictus", file: "events.jsonl.gz", input: { ...profile, arrivalMs } },
  // The lines name no year; the facts take 2017.
  { folder: "linux-auth-elastic", file: "auth.log.gz", input: { format: "syslog", source: "auth", arrivalMs: Date.parse("2017-05-01T00:00:00Z") }, renamed: ["@sshd.invalid_user", "@auth.invalid_user"] },
  { folder: "web-access-apache", file: "access.log.gz", input: { format: "text", source: "apache", arrivalMs } },
];
const shared = hasShared("data/linux-auth-elastic/facts.json");

/** 0-based lines that each query matches. */
async function matchingLines(queries: readonly string[], bytes: Uint8Array, input: InputProfile & { readonly arrivalMs: number }): Promise<number[][]> {
  const matcher = await createMatcher({ queries: queries.map(queryOf), pipelines: await packPipelines() });
  const lines: number[][] = queries.map(() => []);
  for (const hit of await matcher.match(bytes, input)) {
    for (const query of hit.queries) lines[query]!.push(hit.index);
  }
  await matcher.close();
  return lines;
}

describe.skipIf(!shared)("queries over recorded logs (skipped where ../shared is absent)", () => {
  test.each(corpora)("[IN-27] $folder/$file: every query hits its lines", async ({ folder, file, input, renamed = ["", ""] }) => {
    const facts = readSharedJson<Facts>(`data/${folder}/facts.json`);
    const found = await matchingLines(facts.queries.map((fact) => fact.query.replace(...renamed)), readShared(`data/${folder}/${file}`), input);
    facts.queries.forEach((fact, i) => {
      expect(found[i], fact.query).toHaveLength(fact.count);
      if (fact.lines) expect(found[i], fact.query).toEqual(fact.lines);
      if (fact.lines_sha256) expect(createHash("sha256").update(found[i]!.join(",")).digest("hex"), fact.query).toBe(fact.lines_sha256);
    });
  });

  test("windows-otrf: security events by id, file by file", async () => {
    interface FileFacts {
      readonly file: string;
      readonly security_events_per_id: Readonly<Record<string, number>>;
      readonly lines: Readonly<Record<string, readonly number[]>>;
    }
    const facts = readSharedJson<{ per_file: readonly FileFacts[] }>("data/windows-otrf/facts.json");
    for (const fact of facts.per_file) {
      const ids = Object.keys(fact.security_events_per_id);
      const bytes = readShared(`data/windows-otrf/${fact.file}`);
      const found = await matchingLines(ids.map((id) => `(@EventID:${id} @Channel:(Security OR security)) OR (@event_id:${id} @log_name:Security)`), bytes, { ...profile, arrivalMs });
      ids.forEach((id, i) => {
        expect(found[i]!.length, `${fact.file} ${id}`).toBe(fact.security_events_per_id[id]);
        const lines = fact.lines[id];
        if (lines) expect(found[i]!.slice(0, lines.length), `${fact.file} ${id}`).toEqual(lines);
      });
    }
  }, 120_000);

  test("cloudtrail-stratus: the key query of each technique finds its attack", async () => {
    interface Technique {
      readonly technique: string;
      readonly first_line: number;
      readonly events: number;
      readonly key_query?: string;
    }
    const techniques = readSharedJson<readonly Technique[]>("data/cloudtrail-stratus/techniques.json").filter((t) => t.key_query);
    expect(techniques.length).toBeGreaterThan(10);
    const found = await matchingLines(techniques.map((t) => t.key_query!), readShared("data/cloudtrail-stratus/events.jsonl"), { ...profile, arrivalMs });
    techniques.forEach((t, i) => {
      const own = found[i]!.filter((line) => line >= t.first_line && line < t.first_line + t.events);
      expect(own.length, t.technique).toBeGreaterThan(0);
    });
  });
});

function ruleFor(fact: WindowFact, over: string): unknown {
  const metric = /^(\w+)\((.*)\)$/.exec(fact.metric);
  const aggregation = fact.metric === "count" ? "count" : metric![1] === "distinct" ? "cardinality" : metric![1]!;
  return {
    name: "window", type: "log_detection", isEnabled: true, message: "window", tags: [],
    options: { detectionMethod: "threshold", evaluationWindow: fact.window_s, keepAlive: 86400, maxSignalDuration: 86400 },
    queries: [{
      name: "a", query: fact.query, aggregation, groupByFields: fact.group_by.map((field) => `@${field}`),
      distinctFields: aggregation === "cardinality" ? [`@${metric![2]}`] : [], metrics: aggregation === "sum" ? [`@${metric![2]}`] : [],
    }],
    cases: [{ name: "over", status: "high", notifications: [], condition: `a > ${over}` }],
  };
}

describe.skipIf(!shared)("windows over recorded logs (skipped where ../shared is absent)", () => {
  test.each(corpora)("[DE-02] [DE-03] [DE-04] $folder/$file: groups over each threshold, and when first", async ({ folder, file, input }) => {
    const pipelines = await packPipelines();
    const facts = readSharedJson<Facts>(`data/${folder}/facts.json`);
    const bytes = readShared(`data/${folder}/${file}`);
    for (const fact of facts.windows) {
      for (const [over, groups] of Object.entries(fact.groups_over)) {
        const rule = readRule(ruleFor(fact, over));
        // Recorded files are not in time order throughout; the facts are worked out in time order.
        const engine = await createEngine({ rules: [rule], pipelines, workers: 0, allowedLatenessSeconds: 30 * 86400 });
        await engine.push(bytes, input);
        await engine.close();
        const first = new Map<string, Signal>();
        for (const signal of engine.finalSignals()) {
          const group = Object.values(signal.group).join(" ");
          const known = first.get(group);
          if (!known || signal.firstSeenMs < known.firstSeenMs) first.set(group, signal);
        }
        const name = `${fact.query} ${fact.metric} ${fact.window_s} > ${over}`;
        expect(first.size, name).toBe(groups);
        for (const top of fact.top) {
          const at = top.first_over?.[over];
          if (at) expect(first.get(top.group.join(" "))?.firstSeenMs, name).toBe(at.ts);
        }
      }
    }
  }, 240_000);
});
