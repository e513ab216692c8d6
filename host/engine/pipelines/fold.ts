import type { Pipeline } from "../../event/pipeline/pipeline.ts";
import { matches } from "../../query/matches.ts";
import type { QueryNode } from "../../query/tree.ts";

/** Reserved attributes that are the same for every event of an input. */
export type Known = Readonly<Partial<Record<"source" | "service" | "host", string>>>;

/** What is left to ask of a query where some answers are known: true, false, or the query without them. */
export function foldQuery(node: QueryNode, known: Known): QueryNode | boolean {
  switch (node.kind) {
    case "all":
      return true;
    case "and":
    case "or": {
      const absorbing = node.kind === "or";
      const left: QueryNode[] = [];
      for (const child of node.nodes) {
        const folded = foldQuery(child, known);
        if (folded === absorbing) return absorbing;
        if (typeof folded !== "boolean") left.push(folded);
      }
      if (!left.length) return !absorbing;
      return left.length === 1 ? left[0]! : { ...node, nodes: left };
    }
    case "not": {
      const folded = foldQuery(node.node, known);
      return typeof folded === "boolean" ? !folded : { ...node, node: folded };
    }
    case "leaf": {
      if (node.field.kind !== "reserved") return node;
      const { name } = node.field;
      const value = Object.hasOwn(known, name) ? known[name as keyof Known] : undefined;
      return value === undefined ? node : matches(node, { [name]: value });
    }
    case "cidr":
      return node;
  }
}

/** Sources that pipelines ask for by name, in any of their filters. */
export function sourcesAsked(pipelines: readonly Pipeline[]): Set<string> {
  const sources = new Set<string>();
  const look = (node: QueryNode): void => {
    if (node.kind === "and" || node.kind === "or") node.nodes.forEach(look);
    else if (node.kind === "not") look(node.node);
    else if (node.kind === "leaf" && node.field.kind === "reserved" && node.field.name === "source" && node.test.kind === "equals") sources.add(node.test.text);
  };
  const walk = ({ filter, processors }: Pipeline): void => {
    look(filter);
    for (const processor of processors) {
      if (processor.kind === "pipeline") walk(processor.pipeline);
      else if (processor.kind === "category-processor") processor.categories.forEach((category) => look(category.filter));
    }
  };
  pipelines.forEach(walk);
  return sources;
}
