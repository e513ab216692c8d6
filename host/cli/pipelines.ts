import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { geoipOf, loadGeoip } from "../enrich/load-geoip.ts";
import { loadFeeds } from "../enrich/load-feeds.ts";
import { withEnrichment } from "../event/enrichment/enrichment.ts";
import type { EventFormat } from "../event/event.ts";
import { isTextFormat } from "../event/decode.ts";
import type { Pack } from "../event/pipeline/packs.ts";
import { readPipelines } from "../event/pipeline/document.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import { askingForPlaces } from "../engine/pipelines/places.ts";
import { pipelinesMatter } from "../engine/pipelines/matters.ts";
import { loadPacks } from "../packs.ts";
import type { Problem } from "../problem.ts";
import type { StandingQuery } from "../rule/standing.ts";
import { endOnErrors, ruleProblemTexts } from "./load-rules.ts";
import { tell } from "./output.ts";
import { UsageError } from "./problems.ts";
import { plural, styled } from "./text.ts";

export interface PipelineOptions {
  readonly pipelines?: readonly string[];
  readonly pack?: readonly string[];
  /** Files of indicators. */
  readonly threatIntel?: readonly string[];
  /** Database files of places and networks. */
  readonly geoip?: readonly string[];
  /** Whoever asks lays databases into the pipelines. */
  readonly isLocatedElsewhere?: boolean;
}

/** Pipelines of a run, and which of them an input's events pass. */
export interface ChosenPipelines {
  readonly all: readonly Pipeline[];
  /** Ids, or undefined for all. @param source what the input's bytes were found to be of. */
  readonly idsOf: (format: EventFormat, source: string | undefined) => readonly string[] | undefined;
}

export const noPipelines: ChosenPipelines = { all: [], idsOf: () => undefined };

/**
 * Pipelines by what the command line says. Those of files, and of packs named, concern every input. Without `--pack` the packs that
 * come with the product read what nobody else has made sense of: lines of text, and JSON whose source was told by its shape, the
 * latter only where a query looks at what they make.
 *
 * @param text a file's text, where it is not to be read from disk
 */
export async function choosePipelines(options: PipelineOptions, standing: readonly StandingQuery[], text: (file: string) => string = textOf): Promise<ChosenPipelines> {
  const problems: Problem[] = [];
  const own = (options.pipelines ?? []).flatMap((file) => {
    const read = readPipelines(text(file), file);
    problems.push(...read.problems);
    return read.pipelines;
  });
  const asked = options.pack ?? ["auto"];
  if (asked.length > 1 && (asked.includes("none") || asked.includes("auto"))) throw new UsageError("--pack none and --pack auto stand alone");
  const packs = asked[0] === "none" ? [] : await loadPacks();
  const chosen = asked[0] === "auto" || asked[0] === "all" || asked[0] === "none" ? packs : asked.map((name) => named(packs, name));
  problems.push(...chosen.flatMap((pack) => pack.problems));
  await endOnErrors(problems, "in pipelines; nothing was run");
  if (problems.length) for (const line of await ruleProblemTexts(problems, process.stderr)) process.stderr.write(`${line}\n`);
  const all = [...chosen.flatMap((pack) => pack.pipelines), ...own];
  if (new Set(all.map((pipeline) => pipeline.id)).size < all.length) throw new UsageError("two pipelines have one id; give those of --pipelines ids of their own");
  const intel = loadFeeds((options.threatIntel ?? []).map((path) => ({ name: basename(path).replace(/\.gz$/, ""), path })));
  await endOnErrors(intel.problems, "in threat intelligence; nothing was run");
  for (const line of await ruleProblemTexts(intel.problems, process.stderr)) process.stderr.write(`${line}\n`);
  const databases = loadGeoip(options.geoip ?? []);
  await endOnErrors(databases.problems, "in GeoIP databases; nothing was run");
  const geoip = geoipOf(databases.loaded);
  if (!geoip && !options.isLocatedElsewhere) warnOfPlaces(all, standing);
  const ownIds = own.map((pipeline) => pipeline.id);
  const matters = new Map<Pack, boolean>();
  const isLookedAt = (pack: Pack): boolean => {
    if (!matters.has(pack)) matters.set(pack, pipelinesMatter(pack.pipelines, standing));
    return matters.get(pack)!;
  };
  return {
    all: withEnrichment(all, { ...(intel.data ? { intel: intel.data } : {}), ...(geoip ? { geoip } : {}) }),
    idsOf(format, source) {
      if (asked[0] !== "auto" || isTextFormat(format)) return undefined;
      const told = source === undefined ? [] : packs.filter((pack) => pack.sources.includes(source) && isLookedAt(pack));
      return [...told.flatMap((pack) => pack.pipelines.map((pipeline) => pipeline.id)), ...ownIds];
    },
  };
}

function warnOfPlaces(pipelines: readonly Pipeline[], standing: readonly StandingQuery[]): void {
  const asking = askingForPlaces(pipelines, standing).length;
  if (asking) tell(`${styled("yellow", "warning", process.stderr)} ${plural(asking, "query", "queries")} ${asking === 1 ? "asks" : "ask"} where addresses are, and no GeoIP database is given (--geoip FILE.mmdb, for a server geoip in its settings): known is only what logs say themselves\n`);
}

function named(packs: readonly Pack[], name: string): Pack {
  const pack = packs.find((each) => each.name === name);
  if (!pack) throw new UsageError(`--pack ${name} is no pack; use auto, none, all or ${packs.map((each) => each.name).join(", ")}`);
  return pack;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message}`);
  }
}
