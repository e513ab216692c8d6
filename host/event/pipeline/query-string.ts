import { type Members, memberOf, setMember } from "./members.ts";
import { percentDecoded } from "./percent.ts";

/** `a=1&b=x+y`, with or without its `?`, as members; a name that comes again makes an array. */
export function queryString(text: string): Members {
  const out: Members = {};
  for (const pair of text.replace(/^\?/, "").split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = percentDecoded(equals < 0 ? pair : pair.slice(0, equals), 1, true);
    const value = equals < 0 ? "" : percentDecoded(pair.slice(equals + 1), 1, true);
    const before = memberOf(out, name);
    if (Array.isArray(before)) before.push(value);
    else setMember(out, name, before === undefined ? value : [before, value]);
  }
  return out;
}
