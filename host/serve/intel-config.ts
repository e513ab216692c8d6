import { basename } from "node:path";
import { feedFormats } from "../enrich/feed.ts";
import type { FeedSetting } from "../enrich/intel-feeds.ts";
import type { ConfigReader } from "./config-reader.ts";

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LEAST_MS = 60_000;

/** Feeds of threat intelligence. Files are read again when they change, addresses as often as `refresh` says. */
export function intelOf(settings: ConfigReader, path: (text: string) => string): readonly FeedSetting[] {
  const names = new Set<string>();
  return settings.list("feeds").map((each) => {
    const file = each.text("path", "");
    const url = each.text("url", "");
    const name = each.text("name", file === "" ? url : basename(file));
    const format = each.choice("format", ["auto", ...feedFormats], "auto");
    const category = each.text("category", "");
    const intention = each.text("intention", "");
    const refresh = each.text("refresh", "1h");
    const [, count, unit] = /^(\d+(?:\.\d+)?)\s*([smhd])$/.exec(refresh) ?? [];
    const refreshMs = Number(count) * (units[unit ?? ""] ?? Number.NaN);
    if (!(refreshMs >= LEAST_MS)) each.problem("serve/bad-setting", "refresh", `${JSON.stringify(refresh)} is no span of time of a minute or more`, "write it as 15m, 6h or 1d");
    if (file === "" && url === "") each.problem("serve/bad-feed", "path", "the feed has neither a path nor a url", "name the file or the address that the indicators come from");
    if (url !== "" && !/^https?:\/\/[^\s/]+/.test(url)) each.problem("serve/bad-url", "url", `${url} is no address of a feed`, "write it as https://feeds.example.com/list.csv");
    if (names.has(name)) each.problem("serve/bad-feed", "name", `another feed is called ${JSON.stringify(name)} too`, "give each a name of its own: results tell it");
    names.add(name);
    return {
      name, refreshMs, ...(file === "" ? {} : { path: path(file) }), ...(url === "" ? {} : { url }), ...(format === "auto" ? {} : { format }),
      ...(category === "" ? {} : { category }), ...(intention === "" ? {} : { intention }),
    };
  });
}
