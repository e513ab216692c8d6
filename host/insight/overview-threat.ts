import { isImportant } from "./important.ts";
import { all, phrase, signalsHref } from "./links.ts";
import { type OverviewAsk, type OverviewModule, overviewModule } from "./overview-ask.ts";
import type { ImportantSplit, Wedge, WedgesData } from "./overview-model.ts";
import type { CountedGroup } from "./signal-numbers.ts";

const IP = "@network.client.ip";
const COUNTRY = "@network.client.geoip.country.name";
const CODE = "@network.client.geoip.country.iso_code";
const SUBDIVISION = "@network.client.geoip.subdivision.name";
const NETWORK = "@network.client.geoip.as.name";
const MOST_IPS = 10;
const MOST_CHILDREN = 100;

const status = { facet: "status", limit: 5 };

/** Of each value of the first facet: signals in all, and important ones; in the order they came in. */
function split(groups: readonly CountedGroup[]): Map<string, ImportantSplit> {
  const splits = new Map<string, ImportantSplit>();
  for (const { values: [value, severity], count } of groups) {
    const { total, important } = splits.get(value!) ?? { total: 0, important: 0 };
    const isMore = isImportant(severity!);
    const next = { total: total + count, important: important + (isMore ? count : 0) };
    splits.set(value!, { ...next, lessImportant: next.total - next.important });
  }
  return splits;
}

const names = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

/**
 * The ISO code of each country: the code that is called so, else the one that comes with its name most often. Where a signal has
 * clients in two countries its columns do not say which code is whose.
 */
function codesOf(groups: readonly CountedGroup[]): Map<string, string> {
  const codes = new Map<string, { readonly code: string; readonly isCalledSo: boolean }>();
  for (const { values: [country, code] } of groups) {
    if (!/^[A-Z]{2}$/.test(code!)) continue;
    const isCalledSo = names.of(code!)?.toLowerCase() === country!.toLowerCase();
    const known = codes.get(country!);
    if (!known || (isCalledSo && !known.isCalledSo)) codes.set(country!, { code: code!, isCalledSo });
  }
  return new Map([...codes].map(([country, { code }]) => [country, code]));
}

/** One facet as wedges, each with those of another within it. */
async function wedges({ span, numbers }: OverviewAsk, outer: string, inner: string): Promise<WedgesData> {
  const [total, known, outers, inners] = await Promise.all([
    numbers.count("*", span), numbers.count(`${outer}:*`, span), numbers.groups("*", span, [outer]), numbers.groups("*", span, [outer, { facet: inner, limit: MOST_CHILDREN }]),
  ]);
  const children = new Map<string, Wedge[]>();
  for (const { values: [name, child], count } of inners) {
    const wedge = { name: child!, count, href: signalsHref(all(`${outer}:${phrase(name!)}`, `${inner}:${phrase(child!)}`), span) };
    children.set(name!, [...(children.get(name!) ?? []), wedge]);
  }
  return {
    total, unknown: total - known,
    wedges: outers.map(({ values: [name], count }) => ({ name: name!, count, href: signalsHref(`${outer}:${phrase(name!)}`, span), children: children.get(name!) ?? [] })),
  };
}

export const threatModules: readonly OverviewModule[] = [
  overviewModule({
    id: "threat.ips", title: "Top IPs by country distribution", needs: "signals",
    href: ({ span }) => signalsHref(`${IP}:*`, span),
    async read({ span, numbers }) {
      const top = { facet: IP, limit: MOST_IPS };
      const [ips, places, countries, codes] = await Promise.all([
        numbers.groups("*", span, [top, status]), numbers.groups("*", span, [top, { facet: COUNTRY, limit: 1 }]),
        numbers.groups("*", span, [COUNTRY, status]), numbers.groups("*", span, [COUNTRY, { facet: CODE, limit: 10 }]),
      ]);
      const placeOf = new Map(places.map(({ values: [ip, country] }) => [ip!, country!]));
      const codeOf = codesOf(codes);
      return {
        ips: [...split(ips)].map(([ip, counts]) => ({ ip, ...counts, country: placeOf.get(ip) ?? null, href: signalsHref(`${IP}:${phrase(ip)}`, span) })),
        countries: [...split(countries)].map(([country, counts]) => ({ country, code: codeOf.get(country) ?? null, ...counts, href: signalsHref(`${COUNTRY}:${phrase(country)}`, span) })),
      };
    },
  }),
  overviewModule({
    id: "threat.country", title: "Signals by country", needs: "signals",
    href: ({ span }) => signalsHref(`${COUNTRY}:*`, span),
    async read(ask) {
      const [found, codes] = await Promise.all([wedges(ask, COUNTRY, SUBDIVISION), ask.numbers.groups("*", ask.span, [COUNTRY, { facet: CODE, limit: 10 }])]);
      const codeOf = codesOf(codes);
      return { ...found, wedges: found.wedges.map((wedge) => ({ ...wedge, code: codeOf.get(wedge.name) ?? null })) };
    },
  }),
  overviewModule({ id: "threat.isp", title: "Signals by ISP", needs: "signals", href: ({ span }) => signalsHref(`${NETWORK}:*`, span), read: (ask) => wedges(ask, NETWORK, COUNTRY) }),
];
