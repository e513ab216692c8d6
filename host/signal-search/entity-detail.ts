import { type Severity, severities } from "../rule/rule.ts";
import { RISK_WINDOW_MS, riskSeverity } from "../signal-model/risk.ts";
import { entityRows, isLater, textAt } from "./entity-answers.ts";
import type { Contribution, EntityDetail, EntityQuestion, RelatedEntity, RiskPoint, RuleContribution } from "./entity-rows.ts";
import type { EntityTable } from "./entity-table.ts";
import { fieldColumn } from "./field-column.ts";
import { attribute } from "./risk-rows.ts";
import type { SignalIndex } from "./signal-index.ts";

const MOST_RULES = 100;
const MOST_RELATED = 20;

/** All that is known of one entity; null where none of the 14 days' signals is about it. */
export function entityDetail(index: SignalIndex, table: EntityTable, { id, intervalMs, limit }: EntityQuestion): EntityDetail | null {
  const entity = table.risk.find(id);
  if (entity < 0) return null;
  const { createdMs } = table.risk;
  const rows = [...table.risk.rowsOf(entity)].filter((row) => createdMs[row]! <= table.atMs);
  const recent = rows.filter((row) => table.isInWindow(row));
  if (!recent.length) return null;
  const newest = recent.map((row) => table.risk.rows[row]!).reduce((a, b) => (isLater(index, b, a) ? b : a));
  const contributions = contributionsOf(index, table, rows.filter((row) => table.isCounted(row, table.atMs)));
  return {
    ...entityRows(index, table, [entity])[0]!, lastSignalId: index.idOf(newest), contributions: contributions.slice(0, limit), rules: byRule(contributions),
    timeline: timelineOf(table, rows, intervalMs), related: relatedTo(table, entity, recent),
  };
}

function contributionsOf(index: SignalIndex, table: EntityTable, rows: readonly number[]): Contribution[] {
  const columns = ["title", "workflow.triage.state", "workflow.rule.id", "workflow.rule.name"].map((path) => fieldColumn(index, attribute(path)));
  const { risk } = table;
  return rows
    .toSorted((a, b) => risk.points[b]! - risk.points[a]! || (isLater(index, risk.rows[a]!, risk.rows[b]!) ? -1 : 1))
    .map((row) => {
      const at = risk.rows[row]!;
      const [title = "", state = "", ruleId = "", ruleName = ""] = columns.map((column) => column && textAt(column, at));
      return { signalId: index.idOf(at), title, severity: severities[risk.ranks[row]!]!, state, ruleId, ruleName, points: risk.points[row]!, createdMs: risk.createdMs[row]!, expiresMs: risk.createdMs[row]! + RISK_WINDOW_MS };
    });
}

function byRule(contributions: readonly Contribution[]): RuleContribution[] {
  const rules = new Map<string, RuleContribution>();
  for (const { ruleId, ruleName, points, createdMs, expiresMs } of contributions) {
    const known = rules.get(ruleId);
    rules.set(ruleId, known
      // A rule that was renamed is called as its latest signal calls it.
      ? { ruleId, ruleName: createdMs > known.lastCreatedMs ? ruleName : known.ruleName, points: known.points + points, signals: known.signals + 1, lastCreatedMs: Math.max(known.lastCreatedMs, createdMs), nextExpiryMs: Math.min(known.nextExpiryMs, expiresMs) }
      : { ruleId, ruleName, points, signals: 1, lastCreatedMs: createdMs, nextExpiryMs: expiresMs });
  }
  return [...rules.values()].sort((a, b) => b.points - a.points || b.signals - a.signals || (a.ruleId < b.ruleId ? -1 : 1)).slice(0, MOST_RULES);
}

/** The score at the end of each interval, from where the 14 days begin; the last is of the instant itself. */
function timelineOf({ atMs, risk }: EntityTable, rows: readonly number[], intervalMs: number): RiskPoint[] {
  const changes = rows
    .filter((row) => risk.points[row]! > 0 && risk.endMs[row]! > risk.createdMs[row]!)
    .flatMap((row): [number, number][] => [[risk.createdMs[row]!, risk.points[row]!], [risk.endMs[row]!, -risk.points[row]!]])
    .sort(([a], [b]) => a - b);
  const first = Math.floor((atMs - RISK_WINDOW_MS + 1) / intervalMs);
  const counts = Array.from({ length: Math.floor(atMs / intervalMs) - first + 1 }, () => Object.fromEntries(severities.map((severity) => [severity, 0])) as Record<Severity, number>);
  for (const row of rows) {
    const interval = counts[Math.floor(risk.createdMs[row]! / intervalMs) - first];
    const severity = severities[risk.ranks[row]!];
    if (interval && severity) interval[severity]++;
  }
  let [score, next] = [0, 0];
  return counts.map((signals, i) => {
    const endMs = Math.min((first + i + 1) * intervalMs - 1, atMs);
    for (; next < changes.length && changes[next]![0] <= endMs; next++) score += changes[next]![1];
    return { timeMs: (first + i) * intervalMs, score, signals };
  });
}

function relatedTo(table: EntityTable, entity: number, recent: readonly number[]): RelatedEntity[] {
  const { rows, pairs, pairRows, pairEntities } = table.risk;
  const isOwn = new Uint8Array(rows.length);
  for (const row of recent) isOwn[row] = 1;
  const shared = new Map<number, number>();
  for (let i = 0; i < pairs; i++) {
    const other = pairEntities[i]!;
    if (isOwn[pairRows[i]!] === 1 && other !== entity) shared.set(other, (shared.get(other) ?? 0) + 1);
  }
  return [...shared]
    .sort(([a, x], [b, y]) => y - x || table.score[b]! - table.score[a]! || table.risk.compareNames(a, b))
    .slice(0, MOST_RELATED)
    .map(([other, count]) => ({ ...table.risk.nameOf(other), score: table.score[other]!, severity: riskSeverity(table.score[other]!), shared: count }));
}
