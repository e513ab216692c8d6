import { readFeed } from "../../host/enrich/feed.ts";
import { IntelBuilder } from "../../host/enrich/intel-builder.ts";
import { withEnrichment } from "../../host/event/enrichment/enrichment.ts";
import type { IntelData } from "../../host/event/enrichment/intel-table.ts";
import { EventReader } from "../../host/event/made.ts";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { type InputProfile, createMatcher } from "../../host/index.ts";
import { matches } from "../../host/query/matches.ts";
import { queryOf } from "../support/query.ts";
import type { Variant } from "../support/wasm.ts";

/** Feeds of text by name. */
export function intelData(feeds: Readonly<Record<string, string>>): IntelData {
  const builder = new IntelBuilder();
  Object.entries(feeds).forEach(([name, text], i) => readFeed(builder, i, { name, url: `https://${name}.example/list` }, text, []));
  return builder.finish(JSON.stringify(feeds));
}

export function enrichedBy(feeds: Readonly<Record<string, string>>, pipelines: readonly Pipeline[] = []): readonly Pipeline[] {
  return withEnrichment(pipelines, { intel: intelData(feeds) });
}

type Input = InputProfile & { readonly arrivalMs: number };

/** For each query the numbers of the lines it matches: by the kernels, and by the object evaluator on each event as it is read. */
export async function bothWays(queries: readonly string[], lines: readonly string[], input: Input, pipelines: readonly Pipeline[], variant: Variant): Promise<{ readonly kernel: number[][]; readonly reference: number[][] }> {
  const nodes = queries.map(queryOf);
  const { arrivalMs, ...profile } = input;
  const reader = new EventReader(pipelines);
  const events = lines.map((line) => reader.event(Buffer.from(line), profile, arrivalMs));
  const reference = nodes.map((node) => events.flatMap((event, i) => (matches(node, event) ? [i] : [])));
  const matcher = await createMatcher({ queries: nodes, pipelines, variant });
  const kernel: number[][] = nodes.map(() => []);
  for (const hit of await matcher.match(Buffer.from(`${lines.join("\n")}\n`), input)) for (const query of hit.queries) kernel[query]!.push(hit.index);
  await matcher.close();
  return { kernel, reference };
}
