import type { Json } from "../event.ts";
import { type Members, isMembers, memberOf } from "../pipeline/members.ts";

/** What is known of an address, in the words of the attribute: where it is, and whose network it is of. */
export interface GeoipRecord {
  readonly place?: Members;
  readonly as?: Members;
}

/** Members of the attribute that tell the place; they come from one database, or none. */
export const placeNames = ["country", "continent", "subdivision", "city", "location", "timezone"] as const;
export const AS = "as";
export const ADDRESS = "ipAddress";

/**
 * A database's record in our words. Read are the members of MaxMind's databases (city, country, ASN, ISP, Enterprise), which others'
 * follow, and flat ones: city, region, country, lat, lng, timezone, asn, name, domain, type. A route is left out: its text would count
 * among the event's addresses.
 */
export function recordOf(raw: { readonly [name: string]: unknown }): GeoipRecord {
  const members = raw as Members;
  const place = some({
    country: named(members, "country", "iso_code"), continent: named(members, "continent", "code"), subdivision: subdivisionOf(members), city: named(members, "city", "code"),
    location: locationOf(members), timezone: textAt(members, ["location", "time_zone"]) ?? textAt(members, ["timezone"]),
  });
  const as = some({
    number: numberOf(firstAt(members, [["autonomous_system_number"], ["traits", "autonomous_system_number"], ["asn"]])),
    name: firstText(members, [["autonomous_system_organization"], ["traits", "autonomous_system_organization"], ["as_name"], ["name"], ["isp"], ["traits", "isp"], ["organization"]]),
    domain: firstText(members, [["as_domain"], ["domain"], ["traits", "domain"]]),
    type: typeOf(firstText(members, [["as_type"], ["type"], ["traits", "user_type"], ["user_type"]])),
  });
  return { ...(place ? { place } : {}), ...(as ? { as } : {}) };
}

/** Kinds of networks and of their users, as makers of databases call them. */
const types: Readonly<Record<string, string>> = {
  isp: "isp", residential: "isp", cellular: "isp", dialup: "isp", cafe: "isp", traveler: "isp", router: "isp", hosting: "hosting", content_delivery_network: "hosting",
  business: "business", government: "business", military: "business", education: "education", college: "education", school: "education", library: "education",
};

function typeOf(text: string | undefined): string | undefined {
  const name = text?.toLowerCase();
  return name !== undefined && Object.hasOwn(types, name) ? types[name] : undefined;
}

/** `{names: {en}, code}`, or flat: a text that is a code or a name, and the other beside it. */
function named(members: Members, name: string, code: "iso_code" | "code"): Members | undefined {
  const value = memberOf(members, name);
  if (isMembers(value)) return some({ name: nameOf(value), [code]: textAt(value, [code]) });
  if (typeof value !== "string" || value === "") return undefined;
  const isCode = /^[A-Z]{2}$/.test(value) && name !== "city";
  return some({ name: isCode ? textAt(members, [`${name}_name`]) : value, [code]: isCode ? value : textAt(members, [`${name}_code`]) });
}

function subdivisionOf(members: Members): Members | undefined {
  const list = memberOf(members, "subdivisions");
  const first = Array.isArray(list) ? list[0] : undefined;
  if (isMembers(first)) return some({ name: nameOf(first), iso_code: textAt(first, ["iso_code"]) });
  return some({ name: textAt(members, ["region"]), iso_code: textAt(members, ["region_code"]) });
}

function locationOf(members: Members): Members | undefined {
  const latitude = numberOf(firstAt(members, [["location", "latitude"], ["latitude"], ["lat"]]));
  const longitude = numberOf(firstAt(members, [["location", "longitude"], ["longitude"], ["lng"]]));
  if (latitude === undefined || longitude === undefined || Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return { latitude, longitude };
}

/** In English, or else in the first language there is. */
function nameOf(members: Members): string | undefined {
  const names = memberOf(members, "names");
  if (!isMembers(names)) return textAt(members, ["name"]);
  return textAt(names, ["en"]) ?? Object.values(names).find((name): name is string => typeof name === "string" && name !== "");
}

/** `AS64500` is the number too. */
function numberOf(value: Json | undefined): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value.replace(/^AS(?=\d+$)/i, "")) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function firstText(members: Members, paths: ReadonlyArray<readonly string[]>): string | undefined {
  for (const path of paths) {
    const text = textAt(members, path);
    if (text !== undefined) return text;
  }
  return undefined;
}

function firstAt(members: Members, paths: ReadonlyArray<readonly string[]>): Json | undefined {
  for (const path of paths) {
    const value = at(members, path);
    if (typeof value === "number" || (typeof value === "string" && value !== "")) return value;
  }
  return undefined;
}

function textAt(members: Members, path: readonly string[]): string | undefined {
  const value = at(members, path);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function at(members: Members, path: readonly string[]): Json | undefined {
  let value: Json | undefined = members;
  for (const name of path) value = isMembers(value) ? memberOf(value, name) : undefined;
  return value;
}

/** What is there of the members; undefined of none. */
function some(members: { readonly [name: string]: Json | undefined }): Members | undefined {
  const held = Object.entries(members).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return held.length ? Object.fromEntries(held) : undefined;
}
