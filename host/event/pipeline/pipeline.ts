import type { QueryNode } from "../../query/tree.ts";
import type { Enrichment } from "../enrichment/enrichment.ts";
import type { GeoipData } from "../enrichment/geoip-table.ts";
import type { ReservedAttribute } from "../event.ts";

/** Processors for the events a query matches, in order. Every event passes every pipeline whose filter it matches. */
export interface Pipeline {
  readonly id: string;
  readonly name: string;
  readonly filter: QueryNode;
  readonly enabled: boolean;
  readonly processors: readonly Processor[];
  /** Of the last one alone: what is looked up for every event behind all of them. */
  readonly enrichment?: Enrichment;
}

/** An attribute by its path, a tag by its key, or a reserved attribute: what processors read and write. */
export type Place =
  | { readonly kind: "attribute"; readonly path: readonly string[] }
  | { readonly kind: "tag"; readonly key: string }
  | { readonly kind: "reserved"; readonly name: Exclude<ReservedAttribute, "tags"> };

/** Filter of a grok capture, by its name in the dialect, with its arguments as written. */
export interface GrokFilter {
  readonly name: string;
  readonly args: readonly GrokArgument[];
}
export type GrokArgument = string | number | boolean | readonly GrokArgument[];

export interface GrokCapture {
  /** Number of the group in `regex`. */
  readonly group: number;
  /** Path of the attribute; undefined when the filter itself makes attributes (keyvalue, json) at the top. */
  readonly path: readonly string[] | undefined;
  /** What the matcher itself does to its text (`integer`, `number`, `boolean`, `date`), then the filters as written. */
  readonly filters: readonly GrokFilter[];
}

/** A match rule with every matcher and support rule written out. */
export interface GrokRule {
  readonly name: string;
  /** RE2 syntax, to match the whole text (not anchored by itself); plain numbered groups stand for captures only. */
  readonly regex: string;
  readonly captures: readonly GrokCapture[];
}

export type TargetFormat = "auto" | "string" | "integer" | "double";

export type Processor =
  | { readonly kind: "grok-parser"; readonly source: Place; readonly rules: readonly GrokRule[]; readonly samples: readonly string[] }
  | {
      readonly kind: "date-remapper" | "status-remapper" | "service-remapper" | "message-remapper" | "trace-id-remapper" | "span-id-remapper";
      readonly sources: readonly Place[];
    }
  | {
      readonly kind: "attribute-remapper";
      /** Only one is used: the first that has a value. */
      readonly sources: readonly Place[];
      readonly target: Place;
      readonly targetFormat: TargetFormat;
      readonly preserveSource: boolean;
      readonly overrideOnConflict: boolean;
    }
  | { readonly kind: "category-processor"; readonly categories: ReadonlyArray<{ readonly filter: QueryNode; readonly name: string }>; readonly target: Place }
  | {
      readonly kind: "lookup-processor"; readonly source: Place; readonly target: Place;
      readonly table: ReadonlyMap<string, string>; readonly fallback: string | undefined;
    }
  | { readonly kind: "string-builder-processor"; readonly template: string; readonly target: Place; readonly replaceMissing: boolean }
  | { readonly kind: "arithmetic-processor"; readonly expression: string; readonly target: Place; readonly replaceMissing: boolean }
  | { readonly kind: "url-parser"; readonly sources: readonly Place[]; readonly target: Place }
  | { readonly kind: "user-agent-parser"; readonly sources: readonly Place[]; readonly target: Place; readonly encoded: boolean }
  | {
      readonly kind: "geo-ip-parser"; readonly sources: readonly Place[]; readonly target: Place;
      /** The databases of whoever runs it; without them it does nothing. */
      readonly geoip?: GeoipData;
    }
  | { readonly kind: "pipeline"; readonly pipeline: Pipeline };
