import type { Rule } from "../rule/rule.ts";
import { signalSources } from "../rule/signal-source.ts";

/** Rules, and behind them all others whose signals they read, by whatever way. */
export function withSources(judged: readonly Rule[], known: readonly Rule[]): Rule[] {
  const ids = new Set(judged.map(({ id }) => id));
  const sources = signalSources([...judged, ...known.filter(({ id }) => !ids.has(id))]);
  const needed = new Set(judged);
  // A set that grows is walked to its end.
  for (const rule of needed) for (const query of rule.queries) for (const source of sources.get(query) ?? []) needed.add(source);
  return [...needed];
}
