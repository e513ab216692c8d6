import { describe, expect, test } from "vitest";
import { Random } from "../../bench/random.ts";
import type { MadeSignal } from "../../bench/signals-data.ts";
import type { Json } from "../../host/event/event.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { canonicalQuery } from "../../host/signal-search/aliases.ts";
import { facetField } from "../../host/signal-search/facets.ts";
import * as reference from "../reference/signal-search.ts";
import { Bench, like, made } from "./support.ts";

const words = ["failed", "login", "admin", "Échec", "ſtrange", "10.0.0.1", "a_b", "seen", "for", "İstanbul", "\u212aelvin", "kelvin", "éfailed", "loginé", "x-y"];
const paths = ["usr.id", "usr.name", "network.client.ip", "evt.name", "http.status_code", "deep.a.b", "deep.list", "error.message", "error.stack", "mixed", "flag", "duration"];

function scalar(random: Random): Json {
  return random.pick<() => Json>([
    () => random.pick(words), () => `${random.pick(words)} ${random.pick(words)}`, () => random.below(30), () => random.below(30) / 4, () => random.next() < 0.5, () => String(random.below(30)),
    () => `10.0.${random.below(3)}.${random.below(20)}`, () => `2001:db8::${random.below(9)}`, () => `connect to 192.168.${random.below(3)}.7:443, then`, () => null, () => `2026-03-0${1 + random.below(9)}T10:00:00.000Z`,
  ])();
}

function attributes(random: Random): { [name: string]: Json } {
  const out: { [name: string]: Json } = {};
  for (const path of paths) {
    if (random.next() < 0.4) continue;
    const value: Json = random.next() < 0.25 ? Array.from({ length: random.below(5) }, () => scalar(random)) : random.next() < 0.1 ? [{ k: scalar(random), "d.e": scalar(random) }, scalar(random)] : scalar(random);
    const keys = random.next() < 0.15 ? [path] : path.split(".");
    let at = out;
    for (const [i, key] of keys.entries()) {
      if (i === keys.length - 1) at[key] = value;
      else at = at[key] = typeof at[key] === "object" && at[key] !== null && !Array.isArray(at[key]) ? at[key] : {};
    }
  }
  return out;
}

function varied(random: Random, signal: MadeSignal): MadeSignal {
  const message = Array.from({ length: 1 + random.below(4) }, () => Array.from({ length: random.below(5) }, () => random.pick(words)).join(random.pick([" ", ", ", "-"]))).join("\n");
  const tags = Array.from({ length: random.below(6) }, () => random.pick(["env:prod", "env:dev", "bare", "team:a", "team:b:c", "ip:10.0.0.1", "n:5", "n:12", "usr.id:admin"]));
  return like(signal, { document: { tags, ...(random.next() < 0.7 ? { message } : {}) }, ...(random.next() < 0.8 ? { attributes: attributes(random) } : {}) });
}

function value(random: Random): string {
  return random.pick<() => string>([
    () => random.pick(words), () => `"${random.pick(words)} ${random.pick(words)}"`, () => `"${random.pick(words)}"`, () => "*", () => `${random.pick(words).slice(0, 2)}*`, () => `*${random.pick(words).slice(-2)}`,
    () => `*${random.pick(words).slice(1, 3)}*`, () => `?${random.pick(words).slice(1)}`, () => `>${random.below(30)}`, () => `<=${random.below(30)}`, () => `[${random.below(10)} TO ${random.below(30)}]`, () => `{"a" TO "m"}`,
    () => `[* TO *]`, () => `>="2"`, () => String(random.below(30)), () => "true", () => `10.0.0.${random.below(20)}`, () => `(${random.pick(words)} OR -${random.below(9)})`, () => "user1*", () => `"seen for"`, () => "*@example*",
  ])();
}

function query(random: Random, depth = 0): string {
  const roll = random.next();
  if (depth < 3 && roll < 0.2) return `(${query(random, depth + 1)} ${random.pick(["AND", "OR", ""])} ${query(random, depth + 1)})`;
  if (depth < 3 && roll < 0.3) return `-${query(random, depth + 1)}`;
  return random.pick<() => string>([
    () => `@${random.pick(paths)}:${value(random)}`, () => `@${random.pick(["deep", "deep.list.k", "deep.list.d.e", "workflow.rule.name", "network.ip.list", "workflow.triage.acted", "workflow.triage.assignee.handle"])}:${value(random)}`,
    () => `${random.pick(["env", "team", "n", "bare", "tags", "host", "service", "source", "message", "usr.id", "rule_name", "assignee", "*"])}:${value(random).replace(/^\*$/, "x")}`,
    () => random.pick(words), () => `"${random.pick(words)} ${random.pick(words)} ${random.pick(words)}"`, () => `CIDR(@${random.pick(["network.client.ip", "network.ip.list", "mixed"])}, ${random.pick(["10.0.0.0/8", "10.0.1.0/24", "2001:db8::/32", "0.0.0.0/0"])})`,
    () => `status:${random.pick(["open", "archived", "triage", "high", "critical", "*", "(low OR info)", ">=medium"])}`, () => `timestamp:>=${new Date(Date.UTC(2026, random.below(12), 1)).toISOString().slice(0, 10)}`, () => `_exists_:@${random.pick(paths)}`, () => `@workflow.events_matched:${value(random)}`,
  ])();
}

const sorts = ["timestamp", "-timestamp", "severity", "-severity", "@workflow.triage.state", "-@workflow.triage.state", "-last_seen", "events_matched", "@mixed", "-@deep.list", "usr.id", "team"];
const facets = ["Status", "Signal State", "@mixed", "@deep.list", "team", "tags", "@usr.id", "service", "@flag", "@network.client.ip", "Assignee", "bare"];

describe.each([1, 2, 3])("columns and the reference under random signals, changes and questions, seed %i", (seed) => {
  test("[SI-12] [SI-13] [SI-15] the same ids in the same order, the same counts", async () => {
    const random = new Random(seed);
    let all = made(300, seed).map((signal) => varied(random, signal));
    // Little room for dead rows: they are cleared away now and then.
    const bench = new Bench(all, { mostDead: 40, chunk: 64 });
    let matched = 0;
    const wrong: string[] = [];
    try {
      for (let round = 0; round < 12; round++) {
        const plain = bench.plain();
        for (let i = 0; i < 30; i++) {
          const text = query(random);
          const parsed = parseQuery(text);
          if (!parsed.ok) continue;
          const node = canonicalQuery(parsed.node);
          const [from, to] = random.next() < 0.3 ? [Date.UTC(2026, random.below(6)), Date.UTC(2026, 6 + random.below(6))] : [];
          const restrictTexts = random.next() < 0.2 ? [query(random), "status:high"].map(parseQuery) : undefined;
          const restrict = restrictTexts?.flatMap((each) => (each.ok ? [each.node] : []));
          const expected = reference.selected(plain, { node, restrict: restrict?.map(canonicalQuery), fromMs: from, toMs: to });
          const sort = random.pick(sorts);
          const field = sort.includes("timestamp") ? undefined : facetField(sort.replace(/^-/, ""), "sort");
          const found = await bench.search.search({ query: text, from, to, restrict, sort, limit: 1000 });
          const ids = reference.sorted(expected, field, sort.startsWith("-"));
          if (JSON.stringify(found.ids) !== JSON.stringify(ids)) wrong.push(`${text} sorted by ${sort}: ${found.ids.length} instead of ${ids.length}`);
          matched += ids.length;
          const facet = random.pick(facets);
          const [counted] = await bench.search.facets({ query: text, from, to, restrict, facets: [facet], limit: 100 });
          const { counts, missing } = reference.facet(expected, facetField(facet, ""));
          const values = [...counts].map(([each, count]) => [String(each), count] as const).sort((a, b) => b[1] - a[1] || Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])));
          const told = counted!.values.map((each) => [each.value, each.count] as const);
          if (JSON.stringify(told) !== JSON.stringify(values.slice(0, 100)) || counted!.missing !== missing) wrong.push(`${facet} of ${text}`);
        }
        const [changed, fresh] = [all.filter(() => random.next() < 0.1).map((signal) => varied(random, signal)), made(20, seed * 100 + round).map((signal) => varied(random, signal))];
        bench.write(...changed, ...fresh);
        const gone = all.filter(() => random.next() < 0.03).map(({ document }) => document.id);
        await bench.remove(...gone);
        all = [...all.filter(({ document }) => !gone.includes(document.id)), ...fresh];
        if (round % 2 === 0) await bench.search.changed(changed.map(({ document }) => document.id));
      }
      const { deadRows, signals, unread } = await bench.search.status();
      expect({ signals, unread }).toEqual({ signals: bench.plain().length, unread: 0 });
      expect(deadRows).toBeLessThan(200);
    } finally {
      await bench.close();
    }
    expect(wrong).toEqual([]);
    expect(matched).toBeGreaterThan(5000);
  });
});
