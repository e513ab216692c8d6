import type { Pipeline, Processor } from "../../event/pipeline/pipeline.ts";
import type { StandingQuery } from "../../rule/standing.ts";
import { ColumnPlan } from "../columns.ts";
import { Matching } from "../matching/matching.ts";
import { shapeOf } from "../shapes.ts";
import type { Known } from "./fold.ts";
import { UnsupportedPipeline } from "./operation.ts";
import { PipelinePlanner } from "./planner.ts";

/** A processor that is no pipeline of its own, and the pipelines it stands in. */
export interface ExplainedStep {
  readonly pipelines: readonly Pipeline[];
  readonly processor: Exclude<Processor, { readonly kind: "pipeline" }>;
  /** `kernel`: as operations on columns. `unneeded`: no query looks at what it makes, so it is left out. `host`: event by event. */
  readonly runs: "kernel" | "unneeded" | "host";
  /** Why the host does it, or nobody. */
  readonly reason?: string;
}

/**
 * Where each processor runs when these queries are what matters. One that columns cannot follow takes all events of the input to the
 * host: the others are told as they would run without it.
 */
export function explainPipelines(pipelines: readonly Pipeline[], standing: readonly StandingQuery[], known: Known): ExplainedStep[] {
  const leaves = pipelines.flatMap((pipeline) => leavesOf(pipeline, [pipeline]));
  const left = new Set<Processor>();
  const steps: ExplainedStep[] = [];
  let before = 0;
  for (const leaf of leaves.toReversed()) {
    left.add(leaf.processor);
    if (leaf.processor.kind === "geo-ip-parser" && !leaf.processor.geoip) {
      steps.push({ ...leaf, runs: "unneeded", reason: "no GeoIP database is given" });
      continue;
    }
    const planned = operations(pipelines, left, standing, known);
    if (typeof planned === "string") {
      left.delete(leaf.processor);
      steps.push({ ...leaf, runs: "host", reason: planned });
      continue;
    }
    steps.push({ ...leaf, runs: planned > before ? "kernel" : "unneeded" });
    before = planned;
  }
  return steps.toReversed();
}

function leavesOf(pipeline: Pipeline, path: readonly Pipeline[]): Array<Pick<ExplainedStep, "pipelines" | "processor">> {
  return pipeline.processors.flatMap((processor) => (processor.kind === "pipeline" ? leavesOf(processor.pipeline, [...path, processor.pipeline]) : [{ pipelines: path, processor }]));
}

/** How many of these processors are done on columns; why they cannot where they do not. */
function operations(pipelines: readonly Pipeline[], left: ReadonlySet<Processor>, standing: readonly StandingQuery[], known: Known): number | string {
  const columns = new ColumnPlan();
  void new Matching(columns, standing);
  for (const query of standing) shapeOf(query, columns);
  try {
    const planner = new PipelinePlanner(columns, known);
    planner.plan(pipelines.map((pipeline) => kept(pipeline, left)));
    return planner.steps;
  } catch (error) {
    if (error instanceof UnsupportedPipeline) return error.message;
    throw error;
  }
}

function kept(pipeline: Pipeline, left: ReadonlySet<Processor>): Pipeline {
  const processors = pipeline.processors.flatMap((processor): Processor[] => (processor.kind === "pipeline" ? [{ kind: "pipeline", pipeline: kept(processor.pipeline, left) }] : left.has(processor) ? [processor] : []));
  return { ...pipeline, processors };
}
