import { type Attack, tacticOf, techniqueOf } from "../mitre/attack.ts";
import { type TimeSpan, phrase } from "./links.ts";
import type { SignalNumbers } from "./signal-numbers.ts";

/** Keys of tags that name tactics and techniques. */
const keys = ["tactic", "technique", "mitre", "attack"] as const;

export interface AttackTag {
  readonly key: string;
  readonly value: string;
}

/** How many signals have a tag. */
export interface CountedTag extends AttackTag {
  readonly count: number;
}

export const parentOf = (id: string): string => id.split(".", 1)[0]!;

/** The technique that a tag's value names, or whose sub-technique it names. */
export function techniqueNamed(table: Attack, value: string): string | undefined {
  const id = techniqueOf(table, value)?.id;
  return id === undefined ? undefined : parentOf(id);
}

export function tacticNamed(table: Attack, value: string): string | undefined {
  return techniqueOf(table, value) ? undefined : tacticOf(table, value)?.id;
}

/** Those of a rule's tags that may name something of ATT&CK, as they are written. */
export function attackTags(tags: readonly string[]): AttackTag[] {
  return tags.flatMap((tag) => {
    const at = tag.indexOf(":");
    const key = tag.slice(0, at).toLowerCase();
    return at > 0 && keys.some((each) => each === key) ? [{ key, value: tag.slice(at + 1) }] : [];
  });
}

/** Those of the signals. @param query only of signals that it finds */
export async function tagsOfSignals(numbers: Pick<SignalNumbers, "groups">, span: TimeSpan, query = "*"): Promise<CountedTag[]> {
  const groups = await Promise.all(keys.map(async (key) => (await numbers.groups(query, span, [key])).map(({ values: [value], count }) => ({ key, value: value!, count }))));
  return groups.flat();
}

/** Search text for any of these tags. */
export function anyOf(named: readonly AttackTag[]): string {
  const byKey = keys.flatMap((key) => {
    const values = [...new Set(named.filter((each) => each.key === key).map(({ value }) => phrase(value)))].sort();
    return values.length ? [values.length === 1 ? `${key}:${values[0]!}` : `${key}:(${values.join(" OR ")})`] : [];
  });
  return byKey.length === 1 ? byKey[0]! : `(${byKey.join(" OR ")})`;
}
