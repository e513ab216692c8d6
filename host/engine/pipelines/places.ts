import type { Pipeline, Place, Processor } from "../../event/pipeline/pipeline.ts";
import type { StandingQuery } from "../../rule/standing.ts";
import { ColumnPlan } from "../columns.ts";
import { Matching } from "../matching/matching.ts";
import { shapeOf } from "../shapes.ts";

/** The queries that ask for what the geo-ip parsers of these pipelines make. */
export function askingForPlaces(pipelines: readonly Pipeline[], standing: readonly StandingQuery[]): StandingQuery[] {
  const targets = targetsOf(pipelines);
  return targets.length ? standing.filter((query) => placesAsked(query, targets).length > 0) : [];
}

/** Those of them that are told nothing without a database: no other processor makes any of the places they ask for. */
export function blindWithoutDatabases(pipelines: readonly Pipeline[], standing: readonly StandingQuery[]): StandingQuery[] {
  const targets = targetsOf(pipelines);
  const made = leavesOf(pipelines).flatMap(madeBy);
  return askingForPlaces(pipelines, standing).filter((query) => !placesAsked(query, targets).some((path) => made.some((other) => leads(other, path))));
}

function targetsOf(pipelines: readonly Pipeline[]): ReadonlyArray<readonly string[]> {
  return leavesOf(pipelines).flatMap((processor) => (processor.kind === "geo-ip-parser" ? pathsOf(processor.target) : []));
}

function placesAsked(query: StandingQuery, targets: ReadonlyArray<readonly string[]>): ReadonlyArray<readonly string[]> {
  return pathsAsked(query).filter((path) => targets.some((target) => leads(target, path)));
}

type Leaf = Exclude<Processor, { readonly kind: "pipeline" }>;

function leavesOf(pipelines: readonly Pipeline[]): Leaf[] {
  return pipelines.flatMap(({ processors }) => processors.flatMap((processor) => (processor.kind === "pipeline" ? leavesOf([processor.pipeline]) : [processor])));
}

function madeBy(processor: Leaf): ReadonlyArray<readonly string[]> {
  if (processor.kind === "geo-ip-parser") return [];
  if (processor.kind === "grok-parser") return processor.rules.flatMap(({ captures }) => captures.flatMap(({ path }) => (path ? [path] : [])));
  return "target" in processor ? pathsOf(processor.target) : [];
}

function pathsOf(place: Place): ReadonlyArray<readonly string[]> {
  return place.kind === "attribute" ? [place.path] : [];
}

function pathsAsked(query: StandingQuery): ReadonlyArray<readonly string[]> {
  const columns = new ColumnPlan();
  new Matching(columns, [{ id: 0, query: query.query }]);
  shapeOf(query, columns);
  return columns.keys.flatMap((key) => (key.kind === "attribute" || key.kind === "exists" ? [key.path] : []));
}

function leads(short: readonly string[], long: readonly string[]): boolean {
  return short.length <= long.length && short.every((name, i) => name === long[i]);
}
