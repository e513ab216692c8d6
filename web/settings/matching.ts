import { get, post } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { addressOf } from "../lib/router.tsx";
import { RULES } from "../rules/model.ts";
import { SIGNALS } from "../signals/model.ts";

/** How many of something there are; `isLeast` where looking took too long. */
export interface Matching {
  readonly count: number;
  readonly isLeast?: boolean;
}

/** Queries that one call looks at. */
const MOST_AT_ONCE = 10;

/** What `load` answers to the key as it is now: a number that belongs to another query says nothing. */
function useCount<T>(key: string | undefined, load: (signal: AbortSignal) => Promise<T>): T | undefined {
  const { data } = useLoad(key, async (signal) => ({ key, count: await load(signal) }));
  return data && data.key === key ? data.count : undefined;
}

/** Logs of the past day that each query finds, in their order; undefined until that is known, and where a query cannot be read. */
export function useLogCounts(queries: readonly string[] | undefined): readonly Matching[] | undefined {
  const key = queries?.length ? JSON.stringify(queries) : undefined;
  return useCount(key === undefined ? undefined : `logs ${key}`, async (signal): Promise<readonly Matching[]> => {
    const counts: Matching[] = [];
    for (let i = 0; i < queries!.length; i += MOST_AT_ONCE) {
      const some = queries!.slice(i, i + MOST_AT_ONCE).map((query, nr) => ({ name: `q${nr}`, query }));
      const { data } = await post<{ readonly data: ReadonlyArray<{ readonly attributes: { readonly count: number; readonly complete: boolean } }> }>(`${RULES}/preview`, { queries: some, from: "now-1d", limit: 0 }, signal);
      counts.push(...data.map(({ attributes: { count, complete } }) => ({ count, isLeast: !complete })));
    }
    return counts;
  });
}

/** Signals of the past month that a query finds. */
export function useSignalCount(query: string | undefined): Matching | undefined {
  return useCount(query === undefined ? undefined : `signals ${query}`, async (signal): Promise<Matching> => {
    const { data } = await post<{ readonly data: { readonly buckets: ReadonlyArray<{ readonly computes: { readonly c0: number } }> } }>(`${SIGNALS}/aggregate`, { filter: { query, from: "now-30d", to: "now" }, compute: [{ aggregation: "count" }] }, signal);
    return { count: data.buckets[0]?.computes.c0 ?? 0 };
  });
}

/** Rules that a query names. */
export function useRuleCount(query: string | undefined): Matching | undefined {
  return useCount(query === undefined ? undefined : `rules ${query}`, async (signal): Promise<Matching> => {
    const { meta } = await get<{ readonly meta: { readonly page: { readonly total_filtered_count: number } } }>(addressOf(RULES, { query, "page[size]": 1 }), signal);
    return { count: meta.page.total_filtered_count };
  });
}
