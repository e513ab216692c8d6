import { geoNaturalEarth1, geoPath } from "d3-geo";
import { useMemo } from "react";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import atlas from "world-atlas/countries-110m.json";
import { go } from "../lib/router.tsx";
import { countText, visible } from "../lib/text.ts";

export interface CountryCount {
  readonly country: string;
  readonly code?: string | null;
  readonly total: number;
  readonly important?: number;
  readonly href: string;
}

/** Countries that the atlas knows by another name than databases do. */
const named: Readonly<Record<string, string>> = {
  US: "United States of America", CD: "Dem. Rep. Congo", CF: "Central African Rep.", DO: "Dominican Rep.", BA: "Bosnia and Herz.", CZ: "Czechia", GQ: "Eq. Guinea", SZ: "eSwatini", FK: "Falkland Is.", MK: "Macedonia", SS: "S. Sudan", SB: "Solomon Is.", EH: "W. Sahara", LA: "Laos", VN: "Vietnam", KR: "South Korea", KP: "North Korea", RU: "Russia", GB: "United Kingdom", TR: "Turkey", CI: "Côte d'Ivoire", CG: "Congo", MM: "Myanmar", PS: "Palestine", TW: "Taiwan", SY: "Syria", MD: "Moldova", TZ: "Tanzania", IR: "Iran", BO: "Bolivia", VE: "Venezuela", BN: "Brunei",
};
const regions = new Intl.DisplayNames(["en"], { type: "region" });
const STEPS = 4;

/** The world, darker where more came from; a country leads to its signals. */
export default function World({ countries, label }: { readonly countries: readonly CountryCount[]; readonly label: string }) {
  const shapes = useMemo(() => {
    const topology = atlas as unknown as Topology<{ readonly countries: GeometryCollection<{ readonly name: string }> }>;
    const draw = geoPath(geoNaturalEarth1().scale(118).translate([360, 185]));
    return feature(topology, topology.objects.countries).features.filter(({ properties }) => properties.name !== "Antarctica").map((each) => ({ name: each.properties.name, path: draw(each) ?? "" }));
  }, []);
  const byName = new Map(countries.flatMap((each) => [[each.country, each] as const, ...(each.code ? [[named[each.code] ?? regions.of(each.code) ?? "", each] as const] : [])]));
  const most = Math.max(1, ...countries.map(({ total }) => total));
  return (
    <svg className="world" viewBox="0 0 720 350" role="group" aria-label={label}>
      {shapes.map(({ name, path }) => {
        const found = byName.get(name);
        if (!found) return <path key={name} d={path} className="world-none" />;
        const step = Math.ceil((Math.log(found.total + 1) / Math.log(most + 1)) * STEPS);
        const text = `${found.country}: ${countText(found.total)} signals${found.important === undefined ? "" : `, ${countText(found.important)} important`}`;
        return <path key={name} d={path} className={`world-${step}`} role="link" tabIndex={0} aria-label={visible(text)} onClick={() => go(found.href)} onKeyDown={(event) => event.key === "Enter" && go(found.href)}><title>{visible(text)}</title></path>;
      })}
    </svg>
  );
}
