import type { Pipeline, Processor } from "../../event/pipeline/pipeline.ts";
import { matches } from "../../query/matches.ts";
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
  let followed = quiet.flatMap((pipeline): Lightened[] => {
    if (canFollow([pipeline], asked)) return [{ whole: pipeline, pipeline, guards: [] }];
    const light = lightened(pipeline, quiet);
    return light && canFollow([light.pipeline], asked) ? [light] : [];
  });
  // Several together may be more than each alone.
  while (followed.length && !canFollow(followed.map(({ pipeline }) => pipeline), asked)) followed = followed.slice(0, -1);
  const left = enabled.filter((pipeline) => !followed.some(({ whole }) => whole === pipeline));
  const sources = left.map(({ filter }) => sourcePart(filter));
  if (sources.includes(undefined)) return undefined;
  const guards = [...(sources as QueryNode[]), ...followed.flatMap((each) => each.guards)];
  return guards.length ? { followed: followed.map(({ pipeline }) => pipeline), guard: guards.length === 1 ? guards[0]! : { kind: "or", nodes: guards, span } } : undefined;
}

interface Lightened {
  readonly whole: Pipeline;
  readonly pipeline: Pipeline;
  /** Find the events that the steps left out would have changed. */
  readonly guards: readonly QueryNode[];
}

/**
 * A pipeline without its readers of JSON in texts, which few events have: those that have the text are found by it. Undefined where
 * it has none, or where another step moves such a text.
 */
function lightened(pipeline: Pipeline, all: readonly Pipeline[]): Lightened | undefined {
  const readers = pipeline.processors.filter(readsJson);
  if (!readers.length) return undefined;
  const places = readers.map(({ source }) => source).filter((source) => source.kind === "attribute");
  const others = meeting(pipeline, all).flatMap(({ processors }) => processors).filter((processor) => !readers.includes(processor as JsonReader));
  if (places.length < readers.length || others.some((processor) => touches(processor, places.map(({ path }) => path)))) return undefined;
  return {
    whole: pipeline, pipeline: { ...pipeline, processors: pipeline.processors.filter((processor) => !readers.includes(processor as JsonReader)) },
    guards: places.map((field): QueryNode => ({ kind: "leaf", field, test: { kind: "exists" }, span })),
  };
}

/** Pipelines that an event of this one may pass as well. */
function meeting(pipeline: Pipeline, all: readonly Pipeline[]): readonly Pipeline[] {
  const sources = sourcesOf(pipeline.filter);
  if (!sources) return all;
  return all.filter(({ filter }) => {
    const part = sourcePart(filter);
    return !part || sources.some((source) => matches(part, { source }));
  });
}

/** The sources a filter names, where it lets no others in. */
function sourcesOf(filter: QueryNode): string[] | undefined {
  const part = sourcePart(filter);
  if (!part) return undefined;
  if (part.kind === "leaf") return part.test.kind === "equals" || part.test.kind === "phrase" ? [part.test.text] : undefined;
  const each = part.kind === "or" ? part.nodes.map(sourcesOf) : [undefined];
  return each.includes(undefined) ? undefined : (each as string[][]).flat();
}

type JsonReader = Extract<Processor, { readonly kind: "grok-parser" }>;

function readsJson(processor: Processor): processor is JsonReader {
  return processor.kind === "grok-parser" && processor.rules.some(({ captures }) => captures.some(({ filters }) => filters.some(({ name }) => name === "json")));
}

/** May it put something at one of the paths, above or below it, or take it away? */
function touches(processor: Processor, paths: ReadonlyArray<readonly string[]>): boolean {
  if (processor.kind === "pipeline") return processor.pipeline.processors.some((inner) => touches(inner, paths));
  const written: Array<readonly string[]> = [];
  if ("target" in processor && processor.target.kind === "attribute") written.push(processor.target.path);
  if (processor.kind === "attribute-remapper" && !processor.preserveSource) written.push(...processor.sources.flatMap((source) => (source.kind === "attribute" ? [source.path] : [])));
  if (processor.kind === "grok-parser") {
    for (const { path } of processor.rules.flatMap(({ captures }) => captures)) written.push(path ?? []);
  }
  return written.some((path) => paths.some((each) => overlap(path, each)));
}

function overlap(a: readonly string[], b: readonly string[]): boolean {
  return a.slice(0, b.length).every((name, i) => name === b[i]);
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
