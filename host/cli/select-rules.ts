import type { Rule } from "../rule/rule.ts";
import { nearest } from "../rule/nearest.ts";
import { UsageError } from "./problems.ts";

/** The rules that ids or names mean, all when none is given; a name may be cut short where that leaves one. */
export function selectRules(rules: readonly Rule[], names: readonly string[] | undefined): readonly Rule[] {
  if (!names?.length) return rules;
  return names.map((name) => {
    const exact = rules.find((rule) => rule.id === name) ?? rules.find((rule) => rule.name === name);
    if (exact) return exact;
    const wanted = name.toLowerCase();
    const like = rules.filter((rule) => rule.id.toLowerCase().startsWith(wanted) || rule.name.toLowerCase().includes(wanted));
    if (like.length === 1) return like[0]!;
    if (like.length) throw new UsageError(`--rule ${name} could be ${like.slice(0, 4).map((rule) => rule.id).join(", ")}${like.length > 4 ? " ..." : ""}`);
    const near = nearest(name, rules.map((rule) => rule.id));
    throw new UsageError(`--rule ${name}: no rule has this id or name${near === undefined ? "" : `; did you mean ${near}?`}`);
  });
}
