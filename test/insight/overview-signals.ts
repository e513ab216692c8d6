import { Random } from "../../bench/random.ts";
import { type MadeSignal, SignalMaker } from "../../bench/signals-data.ts";
import type { Json } from "../../host/event/event.ts";

const DAY_MS = 86_400_000;
/** Regions of countries that the made signals come from. */
const REGIONS: Readonly<Record<string, readonly string[]>> = { "United States": ["California", "Texas"], "France": ["Brittany"], "Germany": ["Bavaria", "Hesse"], "Brazil": [], "India": ["Kerala"] };
const TAGS = ["technique:T1110-brute-force", "technique:T1098.004-ssh-authorized-keys", "mitre:T1110", "attack:persistence", "technique:T1098-account-manipulation", "tactic:ta0003-persistence"];

/**
 * Signals of so many days up to a moment, with what an overview tells of: several sources, clients in several countries, regions,
 * tags that name one technique in two ways, odd names.
 */
export function overviewSignals(count: number, nowMs: number, days = 40, seed = 5): MadeSignal[] {
  const maker = new SignalMaker(seed, count);
  const random = new Random(seed + 1);
  return Array.from({ length: count }, (_, i) => {
    const made = maker.make(i);
    const shiftMs = nowMs - Math.floor(random.next() * days * DAY_MS) - 1 - made.createdMs;
    return moved(varied(made, random), shiftMs, nowMs);
  });
}

function varied(made: MadeSignal, random: Random): MadeSignal {
  const { document } = made;
  const details = document.details!;
  const geo = (details.attributes.network as { client: { ip: string; geoip: { country: { name: string; iso_code: string }; as: { name: string } } } }).client;
  const isTwofold = random.next() < 0.1;
  const regions = REGIONS[geo.geoip.country.name] ?? [];
  const country: Json = isTwofold ? { name: [geo.geoip.country.name, "Japan"], iso_code: [geo.geoip.country.iso_code, "JP"] } : { ...geo.geoip.country };
  const ip = `198.51.100.${random.below(15)}`;
  const hasGeo = random.next() < 0.9;
  const client: Json = {
    ip: isTwofold ? [ip, "203.0.113.9"] : ip,
    ...(hasGeo ? { geoip: { country, as: { name: geo.geoip.as.name }, ...(regions.length && random.next() < 0.8 ? { subdivision: { name: random.pick(regions) } } : {}) } } : {}),
  };
  const own = random.next() < 0.3 ? [random.pick(TAGS), random.pick(TAGS)] : [];
  const tags = [...new Set([...details.tags.filter((tag) => !tag.startsWith("source:")), ...own])];
  const roll = random.next();
  const sources = roll < 0.05 ? [] : roll < 0.2 ? [details.sources[0]!, random.pick(["okta", "gcp", "audit", "zeek"])] : details.sources;
  const name = random.next() < 0.05 ? `A "quoted" \\ rule: (${random.below(3)})` : document.rule_name.replace(/ \d+$/, ` ${random.below(4)}`);
  return { ...made, document: { ...document, rule_name: name, tags, details: { ...details, tags, sources: [...new Set(sources)], attributes: { ...details.attributes, network: { client } } } } };
}

/** The same some time later; what would be in the future has not happened yet. */
function moved({ document, createdMs, triage }: MadeSignal, byMs: number, nowMs: number): MadeSignal {
  const details = document.details!;
  const at = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms + byMs);
  const [reviewedMs, archivedMs] = [at(triage.reviewedMs), at(triage.archivedMs)];
  const isArchived = archivedMs !== undefined && archivedMs < nowMs;
  const isReviewed = reviewedMs !== undefined && reviewedMs < nowMs;
  return {
    createdMs: createdMs + byMs,
    document: { ...document, first_seen: document.first_seen + byMs, last_seen: document.last_seen + byMs, details: { ...details, triggered_at: details.triggered_at + byMs, first_event_at: details.first_event_at + byMs } },
    triage: {
      ...triage, state: isArchived ? "archived" : isReviewed ? "under_review" : "open", reason: isArchived ? triage.reason : "none",
      reviewedMs: isReviewed ? reviewedMs : undefined, archivedMs: isArchived ? archivedMs : undefined,
    } as MadeSignal["triage"],
  };
}
