import type { Json } from "../event.ts";

export type Members = { [name: string]: Json };

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets an own member, whatever its name: `__proto__` is a name like any other. */
export function setMember(members: Members, name: string, value: Json): void {
  if (name === "__proto__") Object.defineProperty(members, name, { value, writable: true, enumerable: true, configurable: true });
  else members[name] = value;
}

export function memberOf(members: Members, name: string): Json | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

/** First value under a path that is not null; arrays are transparent, and a key may itself hold the dots. */
export function valueAt(value: Json | undefined, path: readonly string[], from = 0): Json | undefined {
  if (value === null || value === undefined) return undefined;
  if (from === path.length) return value;
  if (Array.isArray(value)) {
    for (const element of value) {
      const found = valueAt(element, path, from);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof value !== "object") return undefined;
  for (let end = from + 1; end <= path.length; end++) {
    const name = end === from + 1 ? path[from]! : path.slice(from, end).join(".");
    const found = valueAt(memberOf(value, name), path, end);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The members with a value at the path; only the objects on the way are new. What stands in the way and is no object is replaced. */
export function withValue(members: Members | undefined, path: readonly string[], value: Json, from = 0): Members {
  const out: Members = { ...members };
  const name = path[from]!;
  if (from === path.length - 1) {
    setMember(out, name, value);
    return out;
  }
  const below = memberOf(out, name);
  setMember(out, name, withValue(isMembers(below) ? below : undefined, path, value, from + 1));
  return out;
}

/** The members without what stands at the path, its own dots or nested, arrays being transparent; objects and arrays left empty go too. */
export function withoutValue(members: Members, path: readonly string[], from = 0): Members {
  let out = members;
  for (let end = from + 1; end <= path.length; end++) {
    const name = path.slice(from, end).join(".");
    if (!Object.hasOwn(out, name)) continue;
    const below = out[name]!;
    if (end === path.length) {
      out = { ...out };
      delete out[name];
    } else {
      const rest = without(below, path, end);
      if (rest === below) continue;
      out = { ...out };
      if (rest === undefined) delete out[name];
      else setMember(out, name, rest);
    }
  }
  return out;
}

/** The same of any value; undefined when nothing is left of it. */
function without(value: Json, path: readonly string[], from: number): Json | undefined {
  if (isMembers(value)) {
    const rest = withoutValue(value, path, from);
    return rest === value || Object.keys(rest).length ? rest : undefined;
  }
  if (!Array.isArray(value)) return value;
  const rest = value.map((element) => without(element, path, from));
  if (rest.every((element, i) => element === value[i])) return value;
  const left = rest.filter((element) => element !== undefined);
  return left.length ? left : undefined;
}

/** Objects are joined member by member, everything else is replaced. Deeper than the cap, objects are replaced too. */
export function merged(under: Members | undefined, over: Members, depth = 0): Members {
  const out: Members = { ...under };
  for (const name of Object.keys(over)) {
    const below = memberOf(out, name);
    const value = over[name]!;
    setMember(out, name, isMembers(below) && isMembers(value) && depth < MERGE_DEPTH_CAP ? merged(below, value, depth + 1) : value);
  }
  return out;
}
const MERGE_DEPTH_CAP = 64;
