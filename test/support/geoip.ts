import { checkMmdb } from "../../host/enrich/geoip-check.ts";
import type { GeoipData } from "../../host/event/enrichment/geoip-table.ts";
import { withEnrichment } from "../../host/event/enrichment/enrichment.ts";
import { readPipeline } from "../../host/event/pipeline/wire.ts";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { type MmdbOptions, type MmdbValue, mmdb } from "./mmdb.ts";

function city(name: string, [iso, country]: readonly [string, string], [continentCode, continent]: readonly [string, string], [subdivisionCode, subdivision]: readonly [string, string], latitude: number, longitude: number, zone: string): MmdbValue {
  return {
    city: { geoname_id: 1, names: { de: `${name} (de)`, en: name } }, continent: { code: continentCode, names: { en: continent } }, country: { iso_code: iso, names: { en: country } },
    location: { accuracy_radius: 20, latitude, longitude, time_zone: zone }, subdivisions: [{ iso_code: subdivisionCode, names: { en: subdivision } }, { iso_code: "X", names: { en: "within it" } }],
  };
}

const europe = ["EU", "Europe"] as const;
const asia = ["AS", "Asia"] as const;
const america = ["NA", "North America"] as const;

/** Places of a made-up world: nothing of it is from a database of anybody's. */
export const cityTable: Readonly<Record<string, MmdbValue>> = {
  "4.1.0.0/16": city("Lisbon", ["PT", "Portugal"], europe, ["11", "Lisbon District"], 38.72, -9.14, "Europe/Lisbon"),
  "4.2.0.0/16": city("Osaka", ["JP", "Japan"], asia, ["27", "Osaka Prefecture"], 34.69, 135.5, "Asia/Tokyo"),
  "4.2.7.0/24": city("Kobe", ["JP", "Japan"], asia, ["28", "Hyogo"], 34.69, 135.19, "Asia/Tokyo"),
  "4.3.0.0/16": city("Denver", ["US", "United States"], america, ["CO", "Colorado"], 39.74, -104.98, "America/Denver"),
  "4.4.0.0/16": { country: { iso_code: "SE", names: { en: "Sweden" } } },
  "2a00:4:5::/48": city("Oslo", ["NO", "Norway"], europe, ["03", "Oslo"], 59.91, 10.75, "Europe/Oslo"),
};

export const asnTable: Readonly<Record<string, MmdbValue>> = {
  "4.1.0.0/16": { asn: "AS64501", name: "Tagus Net", domain: "tagus.example", route: "4.1.0.0/16", type: "isp" },
  "4.2.0.0/15": { asn: "AS64502", name: "Pacific Cloud", domain: "pacific.example", route: "4.2.0.0/15", type: "hosting" },
  "4.5.0.0/16": { autonomous_system_number: 64505, autonomous_system_organization: "Only A Network" },
};

/** Databases of tables, sound by the check that loading makes. */
export function geoipData(...tables: ReadonlyArray<readonly [table: Readonly<Record<string, MmdbValue>>, options?: MmdbOptions]>): GeoipData {
  const files = tables.map(([table, options], i) => {
    const content = mmdb(table, options);
    const checked = checkMmdb(content);
    if ("problem" in checked) throw new Error(`${checked.problem.message} ${checked.problem.place}`);
    const bytes = new SharedArrayBuffer(content.length);
    new Uint8Array(bytes).set(content);
    return { name: `tiny-${i}.mmdb`, type: checked.head.type, builtMs: checked.head.builtMs, bytes };
  });
  return { version: JSON.stringify(tables), files };
}

export const tinyGeoip = (): GeoipData => geoipData([cityTable], [asnTable, { type: "Tiny-ASN", recordBits: 24 }]);

/** One pipeline of these processors, with databases. */
export function located(processors: readonly object[], data: GeoipData | undefined, filter = ""): readonly Pipeline[] {
  const { pipeline, problems } = readPipeline({ name: "places", is_enabled: true, filter: { query: filter }, processors });
  if (!pipeline) throw new Error(JSON.stringify(problems));
  return data ? withEnrichment([pipeline], { geoip: data }) : [pipeline];
}
