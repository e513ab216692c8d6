import type { Pipeline, Processor } from "../../event/pipeline/pipeline.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { StandingQuery } from "../../rule/standing.ts";
import { ColumnPlan } from "../columns.ts";
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
  let followed = enabled.filter((pipeline) => !pipeline.processors.some(writesSource) && canFollow([pipeline], standing));
  // Several together may be more than each alone.
  while (followed.length && !canFollow(followed, standing)) followed = followed.slice(0, -1);
  const left = enabled.filter((pipeline) => !followed.includes(pipeline));
  if (!left.length || !left.every(({ filter }) => asksForSource(filter))) return undefined;
  return { followed, guard: left.length === 1 ? left[0]!.filter : { kind: "or", nodes: left.map(({ filter }) => filter), span } };
}

function canFollow(pipelines: readonly Pipeline[], standing: readonly StandingQuery[]): boolean {
  const columns = new ColumnPlan();
  new Matching(columns, standing);
  for (const query of standing) shapeOf(query, columns);
  try {
    new PipelinePlanner(columns, {}).plan(pipelines);
    return true;
  } catch (error) {
    if (error instanceof UnsupportedPipeline) return false;
    throw error;
  }
}

function asksForSource(node: QueryNode): boolean {
  switch (node.kind) {
    case "and": case "or": return node.nodes.every(asksForSource);
    case "not": return asksForSource(node.node);
    case "leaf": return node.field.kind === "reserved" && node.field.name === "source";
    default: return false;
  }
}

function writesSource(processor: Processor): boolean {
  if (processor.kind === "pipeline") return processor.pipeline.processors.some(writesSource);
  return "target" in processor && processor.target.kind === "reserved" && processor.target.name === "source";
}
