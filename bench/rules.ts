import { eventNames } from "./corpus.ts";
import { Random } from "./random.ts";

type Event = Record<string, never>;

/** A rule twice: as the engine reads it, and as the closure a program written by hand would have. */
export interface BenchRule {
  readonly query: string;
  readonly matches: (event: Event) => boolean;
  readonly groupBy: string;
  readonly group: (event: Event) => unknown;
}

const words = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo".split(" ");

function read(path: string): (event: Event) => unknown {
  const keys = path.split(".");
  return (event) => {
    let at: unknown = event;
    for (const key of keys) {
      if (at === null || at === undefined) return undefined;
      at = (at as Record<string, unknown>)[key];
    }
    return at;
  };
}
const source = read("ddsource");
const field = (path: string) => ({ path, get: read(path) });
const eventName = field("evt.name");
const userAgent = field("userAgent");
const url = field("http.url");
const client = field("network.client.ip");
const user = field("usr.id");
const code = field("http.status_code");
const written = field("network.bytes_written");
const type = field("userIdentity.type");

/** Rules as teams write them, few events matching any: names, lists, wildcards, words, ranges, prefixes, negations. */
export function benchRules(count: number, seed = 7): BenchRule[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => benchRule(random));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function benchRule(r: Random): BenchRule {
  const name = () => (r.next() < 0.4 ? r.pick(eventNames) : `${r.pick(words)}${r.pick(["Vault", "Broker", "Fleet"])}${r.below(50)}`);
  const rare = () => `${r.pick(words)}-${r.pick(words)}${r.below(40)}`;
  const rule = (query: string, matches: (event: Event) => boolean, by = user): BenchRule => ({ query, matches, groupBy: `@${by.path}`, group: by.get });
  const kind = r.next();
  if (kind < 0.25) {
    const wanted = name();
    return rule(`source:cloudtrail @evt.name:${wanted} @userIdentity.type:Root`, (e) => source(e) === "cloudtrail" && eventName.get(e) === wanted && type.get(e) === "Root");
  }
  if (kind < 0.4) {
    const list = Array.from({ length: 2 + r.below(4) }, () => `${name()}${r.below(9)}`);
    const prefix = `svc${r.below(50)}`;
    return rule(`source:cloudtrail @evt.name:(${list.join(" OR ")}) -@usr.id:${prefix}*`, (e) => source(e) === "cloudtrail" && list.includes(text(eventName.get(e))) && !text(user.get(e)).startsWith(prefix));
  }
  if (kind < 0.5) {
    const wanted = rare();
    return rule(`source:cloudtrail @userAgent:*${wanted}*`, (e) => source(e) === "cloudtrail" && text(userAgent.get(e)).includes(wanted));
  }
  if (kind < 0.6) {
    const wanted = `user${r.below(200_000).toString(36)}`;
    // A bare word is looked for as a whole word, whatever its case.
    const word = new RegExp(`(?<![\\p{L}\\p{M}\\p{N}_])${wanted}(?![\\p{L}\\p{M}\\p{N}_])`, "iu");
    return rule(`source:auth ${wanted} @evt.outcome:failure`, (e) => source(e) === "auth" && word.test(text(read("message")(e))) && read("evt.outcome")(e) === "failure", client);
  }
  if (kind < 0.7) {
    const wanted = rare();
    return rule(`source:nginx @http.status_code:[400 TO 499] @http.url:*${wanted}*`, (e) => source(e) === "nginx" && Number(code.get(e)) >= 400 && Number(code.get(e)) <= 499 && text(url.get(e)).includes(wanted), client);
  }
  if (kind < 0.8) {
    const prefix = `${1 + r.below(223)}.${r.below(256)}.`;
    return rule(`@network.client.ip:${prefix}* status:error`, (e) => text(client.get(e)).startsWith(prefix) && read("status")(e) === "error");
  }
  if (kind < 0.9) {
    const wanted = `user${r.below(200_000).toString(36)}`;
    return rule(`@usr.id:${wanted} -service:x${r.below(9)}`, (e) => user.get(e) === wanted);
  }
  const floor = 199_600 + r.below(400);
  return rule(`source:nginx @network.bytes_written:>${floor} @http.method:DELETE`, (e) => source(e) === "nginx" && Number(written.get(e)) > floor && read("http.method")(e) === "DELETE", client);
}

/** The rule as a threshold rule in Datadog's shape. */
export function ruleWire(rule: BenchRule, index: number): Record<string, unknown> {
  return {
    id: `bench-${index}`, name: `bench ${index}`, type: "log_detection", isEnabled: true, message: "bench", tags: [],
    options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: [{ name: "a", query: rule.query, aggregation: "count", groupByFields: [rule.groupBy] }],
    cases: [{ name: "", status: "low", condition: "a > 1000000" }],
  };
}
