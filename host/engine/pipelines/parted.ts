import type { Pipeline, Processor } from "../../event/pipeline/pipeline.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { StandingQuery } from "../../rule/standing.ts";
import { type ColumnKey, ColumnPlan } from "../columns.ts";
import { Matching } from "../matching/matching.ts";
import { shapeOf } from "../shapes.ts";
import { UnsupportedPipeline } from "./operation.ts";
import { PipelinePlanner } from "./planner.ts";

/** Pipelines that columns can follow, and which events need others. */
export interface Parted {
  readonly followed: readonly Pipeline[];
  /** Finds the events that pass a pipeline which is not followed: a batch that has one is made on the host. */
  readonly guard: QueryNode;
}

const span = { start: 0, end: 0 };

/**
 * The pipelines without those that columns cannot follow, for batches whose events pass none of these.
 *
 * Undefined where that cannot be told from the source alone: a pipeline that is left out asks for something else, or one that stays
 * writes the source.
 */
export function partedPipelines(pipelines: readonly Pipeline[], standing: readonly StandingQuery[]): Parted | undefined {
  const enabled = pipelines.filter((pipeline) => pipeline.enabled);
  const asked = columnsAsked(standing);
  const quiet = enabled.filter((pipeline) => !pipeline.processors.some(writesSource));
  let followed = quiet.filter((pipeline) => canFollow([pipeline], asked));
  // Several together may be more than each alone.
  while (followed.length && !canFollow(followed, asked)) followed = followed.slice(0, -1);
  const left = enabled.filter((pipeline) => !followed.includes(pipeline));
  const sources = left.map(({ filter }) => sourcePart(filter));
  if (sources.includes(undefined)) return undefined;
  const guards = sources as QueryNode[];
  return guards.length ? { followed, guard: guards.length === 1 ? guards[0]! : { kind: "or", nodes: guards, span } } : undefined;
}

function columnsAsked(standing: readonly StandingQuery[]): readonly ColumnKey[] {
  const columns = new ColumnPlan();
  new Matching(columns, standing);
  for (const query of standing) shapeOf(query, columns);
  return columns.keys;
}

function canFollow(pipelines: readonly Pipeline[], asked: readonly ColumnKey[]): boolean {
  const columns = new ColumnPlan();
  for (const key of asked) columns.column(key);
  try {
    new PipelinePlanner(columns, {}).plan(pipelines);
    return true;
  } catch (error) {
    if (error instanceof UnsupportedPipeline) return false;
    throw error;
  }
}

/** What a filter asks of the source alone: finds all that the filter finds, and maybe more. Undefined where it asks nothing of it. */
function sourcePart(node: QueryNode): QueryNode | undefined {
  switch (node.kind) {
    case "and": return node.nodes.map(sourcePart).find((part) => part !== undefined);
    case "or": {
      const parts = node.nodes.map(sourcePart);
      return parts.includes(undefined) ? undefined : { ...node, nodes: parts as QueryNode[] };
    }
    case "leaf": return node.field.kind === "reserved" && node.field.name === "source" ? node : undefined;
    default: return undefined;
  }
}

function writesSource(processor: Processor): boolean {
  if (processor.kind === "pipeline") return processor.pipeline.processors.some(writesSource);
  return "target" in processor && processor.target.kind === "reserved" && processor.target.name === "source";
}
