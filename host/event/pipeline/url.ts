import type { Members } from "./members.ts";
import { queryString } from "./query-string.ts";

const ORIGIN = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?\/\/([^/?#]*)/;

/** Scheme, host, port, path, query string and fragment of a URL, or of the path a request line holds; lenient, since logs hold what clients sent. */
export function urlDetails(url: string): Members {
  const details: Members = {};
  const origin = ORIGIN.exec(url);
  let rest = url;
  if (origin) {
    rest = url.slice(origin[0].length);
    if (origin[1]) details.scheme = origin[1].toLowerCase();
    const authority = origin[2]!.slice(origin[2]!.lastIndexOf("@") + 1);
    const port = /:(\d{1,5})$/.exec(authority);
    const host = port ? authority.slice(0, port.index) : authority;
    if (host !== "") details.host = host;
    if (port) details.port = Number(port[1]);
  }
  const hash = rest.indexOf("#");
  if (hash >= 0 && hash + 1 < rest.length) details.hash = rest.slice(hash + 1);
  if (hash >= 0) rest = rest.slice(0, hash);
  const mark = rest.indexOf("?");
  if (mark >= 0) {
    const query = queryString(rest.slice(mark + 1));
    if (Object.keys(query).length) details.queryString = query;
    rest = rest.slice(0, mark);
  }
  if (rest !== "") details.path = rest;
  return details;
}

/** One part of a URL that is a scalar, as a function of the URL. */
export function urlPart(name: string): (url: string) => string | number | undefined {
  return (url) => {
    const details = urlDetails(url);
    const value = Object.hasOwn(details, name) ? details[name] : undefined;
    return typeof value === "string" || typeof value === "number" ? value : undefined;
  };
}
