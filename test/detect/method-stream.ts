import { Random } from "../../bench/random.ts";

const START_MS = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

type Wire = Record<string, unknown>;

function ruleOf(id: string, detectionMethod: string, options: Wire, query: Wire | readonly Wire[], cases: readonly Wire[] = [{ name: "", status: "low" }], more: Wire = {}): Wire {
  const queries = (Array.isArray(query) ? query : [{ name: "a", ...query }]).map((each: Wire) => ({ groupByFields: ["@usr.id"], ...each }));
  return {
    id, name: id, message: `${id} by {{@usr.id}} {{events_matched}}`, isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod, evaluationWindow: 600, keepAlive: 3600, maxSignalDuration: 86400, ...options }, queries, cases, ...more,
  };
}

/** One rule or more of each method that reads events. */
export const methodRules: readonly Wire[] = [
  ruleOf("count", "threshold", {}, { query: "source:auth @evt.outcome:failure" }, [{ name: "many", status: "high", condition: "a > 8" }, { name: "some", status: "low", condition: "a > 4" }]),
  ruleOf("distinct", "threshold", {}, { query: "source:auth", aggregation: "cardinality", distinctFields: ["@network.client.ip"], groupByFields: ["service"] }, [{ status: "low", condition: "a > 7" }]),
  ruleOf("bytes", "threshold", {}, { query: "source:web", aggregation: "sum", metrics: ["@bytes"] }, [{ status: "low", condition: "a > 20000" }]),
  ruleOf("largest", "threshold", {}, { query: "source:web", aggregation: "max", metrics: ["@bytes"] }, [{ status: "low", condition: "a > 9990" }]),
  ruleOf("then", "threshold", {}, [{ name: "bad", query: "@evt.outcome:failure" }, { name: "good", query: "@evt.outcome:success" }], [{ status: "medium", condition: "bad > 2 THEN good > 0" }]),
  ruleOf("new", "new_value", { newValueOptions: { learningDuration: 1, forgetAfter: 2 } }, { query: "source:auth", aggregation: "new_value", metrics: ["@network.client.geoip.country.iso_code", "service"] }),
  ruleOf("volume", "anomaly_detection", { evaluationWindow: 1800, anomalyDetectionOptions: { bucketDuration: 300, learningDuration: 6, detectionTolerance: 1 } }, { query: "source:web", aggregation: "count", groupByFields: ["service"] }, [{ status: "low", condition: "a > 0.995" }]),
  ruleOf("content", "anomaly_threshold", { contentAnomalyOptions: { learningDuration: 1, forgetAfter: 2 } }, { query: "source:shell", aggregation: "count", metrics: ["@cmd"] }, [{ status: "low", condition: "a > 1" }]),
  ruleOf("travel", "impossible_travel", { impossibleTravelOptions: { baselineUserLocations: false } }, { query: "source:auth @evt.outcome:success", aggregation: "geo_data", metrics: ["@network.client.geoip"] }),
  ruleOf("travel learned", "impossible_travel", { impossibleTravelOptions: { baselineUserLocations: true } }, { query: "source:auth @evt.outcome:success", aggregation: "geo_data", metrics: ["@network.client.geoip"] }, undefined, {
    message: "{{@usr.id}} from {{@impossible_travel.triggering_locations.first_location.city}} to {{@impossible_travel.triggering_locations.second_location.city}}",
  }),
  ruleOf("sequence", "sequence_detection", {
    sequenceDetectionOptions: { steps: [{ name: "probe", condition: "a > 2", evaluationWindow: 600 }, { name: "take", condition: "b > 0", evaluationWindow: 0 }], stepTransitions: [{ parent: "probe", child: "take", evaluationWindow: 600 }] },
  }, [{ name: "a", query: "@evt.outcome:failure" }, { name: "b", query: "source:shell" }], [{ status: "high", condition: "take > 0" }]),
  ruleOf("log4shell", "hardcoded", { hardcodedEvaluatorType: "log4shell", evaluationWindow: 0 }, { query: "source:web", aggregation: "none" }),
  {
    ...ruleOf("alerts", "third_party", { thirdPartyRuleOptions: { defaultStatus: "info", rootQueries: [{ query: "source:vendor", groupByFields: ["@usr.id"] }], signalTitleTemplate: "{{@title}}" } }, []),
    queries: undefined, cases: undefined, thirdPartyCases: [{ name: "bad", status: "high", query: "@grade:>7" }, { name: "odd", status: "low", query: "@grade:>3" }],
  },
];

const places = [
  { city: { name: "Paris" }, country: { iso_code: "FR" }, location: { latitude: 48.8566, longitude: 2.3522 } },
  { city: { name: "London" }, country: { iso_code: "GB" }, location: { latitude: 51.5074, longitude: -0.1278 } },
  { city: { name: "Tokyo" }, country: { iso_code: "JP" }, location: { latitude: 35.6762, longitude: 139.6503 } },
  { country: { name: "Brazil", iso_code: "BR" }, location: { latitude: "-15.8", longitude: "-47.9" } },
  { country: { iso_code: "AQ" } },
];
const words = ["kubectl", "get", "pods", "cat", "/etc/passwd", "ls", "-la", "größe", "日本語", "sudo", "service", "restart", "api", "10.0.0.1"];

/** Lines of logs of four days, every kind mixed, some late, a few far too late; quiet by night and loud on one morning. */
export function methodLines(seed: number, count: number): string[] {
  const random = new Random(seed);
  const step = (4 * DAY_MS) / count;
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const nowMs = START_MS + Math.floor(i * step);
    const late = random.below(12);
    const timestamp = nowMs - (late === 0 ? random.below(4 * MINUTE_MS) : late === 1 && random.below(20) === 0 ? random.below(DAY_MS) : 0);
    lines.push(JSON.stringify({ timestamp, ...event(random, i / count) }));
    // One burst of each kind of trouble now and then.
    if (random.below(400) === 0) for (let more = 0; more < 12; more++) lines.push(JSON.stringify({ timestamp: nowMs + more * 500, ...event(random, i / count, `u${i % 5}`, more === 11 ? "shell" : "auth") }));
    if (i > count * 0.8 && i < count * 0.81) for (let more = 0; more < 8; more++) lines.push(JSON.stringify({ timestamp: nowMs + more, ...event(random, i / count, undefined, "web") }));
  }
  return lines;
}

function event(random: Random, part: number, user = `u${random.skewed(40)}`, source = random.pick(["auth", "auth", "web", "web", "shell", "vendor"])): Wire {
  const service = random.pick(["api", "shop"]);
  const id = random.below(30) ? user : [user, `u${random.below(40)}`];
  const usr = random.below(50) ? { id } : {};
  const home = user.length % places.length;
  switch (source) {
    case "auth": {
      const geoip = places[random.below(12) ? home : random.below(places.length)];
      return { ddsource: source, service, usr, evt: { outcome: random.below(3) ? "failure" : "success" }, network: { client: { ip: `10.0.${random.below(3)}.${random.below(90)}`, geoip } } };
    }
    case "web":
      return { ddsource: source, service, usr, bytes: random.below(10_000), message: random.below(300) ? "GET /" : random.pick(["${jndi:ldap://x}", "${${lower:j}ndi:rmi:x}", "${jndi:file:x}"]) };
    case "shell": {
      const own = part > 0.5 && random.below(8) === 0 ? words : words.slice(0, 4);
      return { ddsource: source, usr, cmd: Array.from({ length: 2 + random.below(3) }, () => random.pick(own)).join(" ") };
    }
    default:
      return { ddsource: source, usr, grade: random.below(10), title: `finding ${random.below(5)}` };
  }
}
