import { Flow } from "./batch/flow.ts";
import type { Executor } from "./engine/executor.ts";
import type { Variant } from "./engine/kernel.ts";
import { LocalExecutor } from "./engine/local.ts";
import type { InstanceSetup } from "./engine/instance.ts";
import type { InputProfile } from "./engine/task.ts";
import type { LogEvent } from "./event/event.ts";
import { EventReader } from "./event/made.ts";
import type { Pipeline } from "./event/pipeline/pipeline.ts";
import type { QueryNode } from "./query/tree.ts";
import { plainQueries } from "./rule/standing.ts";

export { plainQueries } from "./rule/standing.ts";

export interface MatcherOptions {
  readonly queries: readonly QueryNode[];
  readonly pipelines?: readonly Pipeline[];
  /** 0: in this thread. */
  readonly workers?: number;
  readonly variant?: Variant;
}

export interface MatchedEvent {
  /** Numbers of the queries it matches, ascending. */
  readonly queries: number[];
  /** Place among the events of the bytes given, from 0; blank and malformed lines are not events. */
  readonly index: number;
  /** The record as received. */
  readonly event: Uint8Array;
  readonly timeMs: number;
}

/** Runs queries over bytes, like grep: the same kernels as detection, without rules. */
export interface Matcher {
  /** Matching events in order. Malformed lines are left out and counted. */
  match(bytes: Uint8Array, input: InputProfile & { readonly arrivalMs: number }): Promise<MatchedEvent[]>;
  /** Numbers of events and of malformed records so far, by reason. */
  readonly events: number;
  /** Records that columns could not be read from directly: an odd shape, or a pipeline without an operation. */
  readonly slowRows: number;
  readonly malformed: Readonly<Record<string, number>>;
  /** A matched event as the queries saw it. */
  read(hit: MatchedEvent, input: InputProfile & { readonly arrivalMs: number }): LogEvent;
  close(): Promise<void>;
}


export async function createExecutor(setup: InstanceSetup, workers: number): Promise<Executor> {
  if (workers === 0) return await LocalExecutor.create(setup);
  const { PoolExecutor } = await import("./engine/pool.ts");
  return await PoolExecutor.create(setup, workers);
}

export async function createMatcher(options: MatcherOptions): Promise<Matcher> {
  const executor = await createExecutor({ standing: plainQueries(options.queries), pipelines: options.pipelines, variant: options.variant ?? "simd" }, options.workers ?? 0);
  const reader = new EventReader(options.pipelines);
  let found: MatchedEvent[] = [];
  let base = 0;
  const flow: Flow = new Flow(executor, {
    onMatches(matches, _profile, firstEvent) {
      let last: MatchedEvent | undefined;
      for (let i = 0; i < matches.count; i++) {
        const index = firstEvent + matches.row[i]! - base;
        const standing = matches.standing[i]!;
        if (last?.index === index) last.queries.push(standing);
        else {
          const start = matches.eventStart[i]!;
          last = { queries: [standing], index, timeMs: matches.timeMs[i]!, event: matches.bytes.slice(start, start + matches.eventLength[i]!) };
          found.push(last);
        }
      }
    },
    onMalformed() {},
    onLost(_bytes, _profile, error) {
      throw error;
    },
  });
  return {
    async match(bytes, { arrivalMs, ...profile }) {
      found = [];
      base = flow.stats.events;
      await flow.push(bytes, profile, arrivalMs);
      await flow.flush();
      return found;
    },
    get events() {
      return flow.stats.events;
    },
    get slowRows() {
      return flow.stats.slowRows;
    },
    get malformed() {
      return flow.stats.malformed;
    },
    read: (hit, { arrivalMs, ...profile }) => reader.event(hit.event, profile, arrivalMs),
    close: () => executor.close(),
  };
}
