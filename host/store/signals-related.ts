import { storedSignal } from "./signal-row.ts";
import type { SqlDriver, SqlRow } from "./driver.ts";
import type { StoredSignal } from "../signal-model/stored.ts";

export interface RelatedSignal {
  readonly signal: StoredSignal;
  /** What both have: entities and group-by values, as queries write them. */
  readonly shared: readonly string[];
}

const WEEK_MS = 7 * 86_400_000;
/** Signals looked at for each thing shared, those nearest in time on either side. */
const NEAREST = 500;

/**
 * Signals that share a primary entity or a group-by value with one, within seven days of it: those that share most come first, then those
 * nearest in time. Of an entity that very many signals have only the nearest thousand are looked at. Undefined when there is no such signal.
 */
export function relatedSignals(sql: SqlDriver, id: string, limit = 50): RelatedSignal[] | undefined {
  const own = sql.get("SELECT first_seen FROM signals WHERE id = ?", id);
  if (!own) return undefined;
  const atMs = Number(own.first_seen);
  const found = new Map<string, { readonly shared: string[]; readonly apartMs: number }>();
  for (const { entity } of sql.all("SELECT entity FROM signal_entities WHERE signal_id = ? AND is_primary = 1 ORDER BY entity", id)) {
    const text = String(entity);
    const before = sql.all("SELECT signal_id, time FROM signal_entities WHERE entity = ? AND time BETWEEN ? AND ? AND is_primary = 1 ORDER BY time DESC, signal_id LIMIT ?", text, atMs - WEEK_MS, atMs, NEAREST);
    const after = sql.all("SELECT signal_id, time FROM signal_entities WHERE entity = ? AND time > ? AND time <= ? AND is_primary = 1 ORDER BY time, signal_id LIMIT ?", text, atMs, atMs + WEEK_MS, NEAREST);
    for (const row of [...before, ...after]) note(found, row, text, atMs);
  }
  found.delete(id);
  const ranked = [...found].toSorted(([a, x], [b, y]) => y.shared.length - x.shared.length || x.apartMs - y.apartMs || (a < b ? -1 : 1)).slice(0, limit);
  return ranked.flatMap(([other, { shared }]) => {
    const row = sql.get("SELECT * FROM signals WHERE id = ?", other);
    return row ? [{ signal: storedSignal(row), shared }] : [];
  });
}

function note(found: Map<string, { readonly shared: string[]; readonly apartMs: number }>, row: SqlRow, entity: string, atMs: number): void {
  const id = String(row.signal_id);
  const known = found.get(id);
  if (known) known.shared.push(entity);
  else found.set(id, { shared: [entity], apartMs: Math.abs(Number(row.time) - atMs) });
}
