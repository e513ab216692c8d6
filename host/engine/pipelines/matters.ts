import type { Pipeline } from "../../event/pipeline/pipeline.ts";
import type { StandingQuery } from "../../rule/standing.ts";
import { ColumnPlan } from "../columns.ts";
import { Matching } from "../matching/matching.ts";
import { shapeOf } from "../shapes.ts";
import { UnsupportedPipeline } from "./operation.ts";
import { PipelinePlanner } from "./planner.ts";

/** Does any query look at what the pipelines make? */
export function pipelinesMatter(pipelines: readonly Pipeline[], standing: readonly StandingQuery[]): boolean {
  const columns = new ColumnPlan();
  new Matching(columns, standing);
  for (const query of standing) shapeOf(query, columns);
  if (columns.keys.some((key) => key.kind === "all" || key.kind === "addresses")) return true;
  try {
    return new PipelinePlanner(columns, {}).plan(pipelines).length > 0;
  } catch (error) {
    if (error instanceof UnsupportedPipeline) return true;
    throw error;
  }
}
