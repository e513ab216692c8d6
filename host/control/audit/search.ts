import { ProblemError } from "../../problem.ts";
import type { LogEvent } from "../../event/event.ts";
import { readField } from "../../query/field.ts";
import { matches } from "../../query/matches.ts";
import { parseQuery } from "../../query/parse.ts";
import type { QueryNode } from "../../query/tree.ts";
import { valuesOf } from "../../query/values.ts";
import { readTimeBound } from "../../search/index.ts";
import { type AuditColumn, type AuditFilter, type AuditPlace, type AuditRecord, type AuditStore, type StoredAudit, auditColumns } from "../../store/audit.ts";
import { AUDIT_SOURCE } from "./record.ts";

type Bound = string | number;

export interface AuditAsked {
  readonly query?: string;
  readonly from?: Bound;
  readonly to?: Bound;
}

export interface AuditPage {
  readonly events: readonly StoredAudit[];
  /** Where the next page begins; undefined behind the last. */
  readonly cursor: string | undefined;
  /** False when reading ended before the page was full or the end was reached. */
  readonly isComplete: boolean;
}

export interface AuditFacet {
  readonly name: string;
  readonly path: string;
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

export const MOST_EVENTS = 1000;
/** Records that one search looks at: a trail is what people do, and people are slow. */
const MOST_READ = 200_000;
const CHUNK = 500;
/** One search takes so long at most; between chunks it is others' turn. */
const MOST_MS = 5000;
const othersTurn = (): Promise<void> => new Promise((next) => void setImmediate(next));
const DEFAULT_FROM = "now-15m";

/** The facets of the Audit Trail page. */
export const auditFacets: Readonly<Record<string, string>> = {
  "Event Name": "@evt.name", Action: "@action", "Asset Type": "@asset.type", User: "@usr.id", "Auth method": "@auth_method",
};
const columnOfPath = new Map(Object.entries(auditColumns).map(([column, path]) => [path.join("."), column as AuditColumn]));

/** The trail, asked with the language of logs. */
export class AuditSearch {
  readonly #store: AuditStore;
  readonly #mostRead: number;

  constructor(store: AuditStore, mostRead = MOST_READ) {
    this.#store = store;
    this.#mostRead = mostRead;
  }

  /**
   * Newest first unless `sort` is `timestamp`.
   *
   * @param onlyOf who may see no more than what they did themselves
   */
  async page(asked: AuditAsked & { readonly sort?: string; readonly limit?: number; readonly cursor?: string }, onlyOf: string | undefined, nowMs: number): Promise<AuditPage> {
    const { sort = "-timestamp", limit = 10, cursor } = asked;
    if (sort !== "-timestamp" && sort !== "timestamp") throw wrong("search/bad-sort", "sort", `${sort} is no order of events`, "use timestamp or -timestamp");
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_EVENTS) throw wrong("search/bad-limit", "page.limit", `${limit} is no number of events for a page`, `use 1 to ${MOST_EVENTS}, and the cursor for more`);
    const going = cursor === undefined ? undefined : readCursor(cursor);
    const plan = this.#plan(going ? { ...asked, from: going.fromMs, to: going.toMs } : asked, onlyOf, nowMs);
    const order = sort === "timestamp" ? "oldest" : "newest";
    const events: StoredAudit[] = [];
    let after: AuditPlace | undefined = going;
    let read = 0;
    const endMs = performance.now() + MOST_MS;
    const next = (): string | undefined => after && cursorText({ ...after, fromMs: plan.filter.fromMs, toMs: plan.filter.toMs });
    for (;;) {
      const size = plan.rest ? CHUNK : limit + 1;
      const chunk = this.#store.page(plan.filter, order, size, after);
      for (const each of chunk) {
        if (plan.rest && !matches(plan.rest, auditEvent(each.record))) {
          after = each;
          continue;
        }
        if (events.length === limit) return { events, cursor: next(), isComplete: true };
        events.push(each);
        after = each;
      }
      if (chunk.length < size) return { events, cursor: undefined, isComplete: true };
      if ((read += chunk.length) >= this.#mostRead || performance.now() > endMs) return { events, cursor: next(), isComplete: false };
      await othersTurn();
    }
  }

  /** Values of each facet with their counts, most first. */
  async facets(asked: AuditAsked, paths: readonly (readonly [name: string, path: string])[], most: number, onlyOf: string | undefined, nowMs: number): Promise<{ readonly facets: readonly AuditFacet[]; readonly isComplete: boolean }> {
    const plan = this.#plan(asked, onlyOf, nowMs);
    const columns = paths.map(([, path]) => columnOfPath.get(path.replace(/^@/, "")));
    if (!plan.rest && columns.every((column) => column !== undefined)) {
      return { isComplete: true, facets: paths.map(([name, path], i) => ({ name, path, values: this.#store.count(plan.filter, columns[i]!).filter(({ value }) => value !== "").slice(0, most) })) };
    }
    const fields = paths.map(([, path]) => readField(path));
    const counts = paths.map(() => new Map<string, number>());
    let after: AuditPlace | undefined;
    let read = 0;
    let isMore = true;
    const endMs = performance.now() + MOST_MS;
    while (isMore && read < this.#mostRead && performance.now() < endMs) {
      const chunk = this.#store.page(plan.filter, "newest", CHUNK, after);
      for (const { record } of chunk) {
        const event = auditEvent(record);
        if (plan.rest && !matches(plan.rest, event)) continue;
        fields.forEach((field, i) => {
          for (const value of new Set(valuesOf(field, event).map(String))) counts[i]!.set(value, (counts[i]!.get(value) ?? 0) + 1);
        });
      }
      read += chunk.length;
      isMore = chunk.length === CHUNK;
      after = chunk.at(-1);
      await othersTurn();
    }
    const values = (i: number): AuditFacet["values"] => [...counts[i]!].map(([value, count]) => ({ value, count })).toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, most);
    return { isComplete: !isMore, facets: paths.map(([name, path], i) => ({ name, path, values: values(i) })) };
  }

  /** What the table's columns tell, and what is left to look for in the records. */
  #plan({ query = "*", from = DEFAULT_FROM, to = "now" }: AuditAsked, onlyOf: string | undefined, nowMs: number): { readonly filter: AuditFilter; readonly rest: QueryNode | undefined } {
    const [fromMs, toMs] = [readTimeBound(from, nowMs, "filter.from"), readTimeBound(to, nowMs, "filter.to")];
    if (fromMs > toMs) throw wrong("search/bad-time", "filter.from", "from is after to", "let from be before to");
    const parsed = parseQuery(query);
    if (!parsed.ok) throw new ProblemError(parsed.problems);
    const equals: { [column in AuditColumn]?: string } = {};
    const parts = parsed.node.kind === "and" ? parsed.node.nodes : [parsed.node];
    const rest = parts.filter((part) => {
      if (part.kind === "all") return false;
      const column = part.kind === "leaf" && part.field.kind === "attribute" ? columnOfPath.get(part.field.path.join(".")) : undefined;
      if (!column || part.kind !== "leaf" || (part.test.kind !== "equals" && part.test.kind !== "phrase") || part.test.text === "") return true;
      if (equals[column] !== undefined) return true;
      equals[column] = part.test.text;
      return false;
    });
    // Whoever may see only their own sees them whatever they ask for.
    const filter: AuditFilter = { fromMs, toMs, equals: onlyOf === undefined ? equals : { ...equals, user_id: onlyOf } };
    if (onlyOf !== undefined && equals.user_id !== undefined && equals.user_id !== onlyOf) return { filter: { ...filter, toMs: fromMs - 1 }, rest: undefined };
    return { filter, rest: rest.length === 0 ? undefined : rest.length === 1 ? rest[0] : { kind: "and", nodes: rest, span: parsed.node.span } };
  }
}

/** As queries see it, and as detection takes it. */
export function auditEvent({ message, service, status, tags, timestamp, attributes }: AuditRecord): LogEvent {
  return { message, service, source: AUDIT_SOURCE, status, tags: [...tags], timestamp, attributes };
}

interface Cursor extends AuditPlace {
  readonly fromMs: number;
  readonly toMs: number;
}

function cursorText({ timeMs, number, fromMs, toMs }: Cursor): string {
  return Buffer.from([timeMs, number, fromMs, toMs].join(",")).toString("base64url");
}

function readCursor(text: string): Cursor {
  const parts = text.length > 200 ? [] : Buffer.from(text, "base64url").toString("latin1").split(",").map(Number);
  if (parts.length !== 4 || !parts.every(Number.isSafeInteger)) throw wrong("search/bad-cursor", "page.cursor", "this cursor is none of ours", "take it from meta.page.after of the page before");
  const [timeMs, number, fromMs, toMs] = parts as [number, number, number, number];
  return { timeMs, number, fromMs, toMs };
}

function wrong(code: string, place: string, message: string, hint: string): ProblemError {
  return new ProblemError([{ code, place, message, hint }]);
}
