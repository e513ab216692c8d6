import type { GrokFilter, GrokRule, Pipeline, Place, Processor } from "../../event/pipeline/pipeline.ts";
import { unreachable } from "../../problem.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { ColumnKey, ColumnPlan } from "../columns.ts";
import { Matching } from "../matching/matching.ts";
import { type TextFilter, filterChain } from "../text/host-texts.ts";
import { type GrokSpec, GrokStep, type TextCapture } from "../text/grok-step.ts";
import { compileText } from "../text/program.ts";
import { UnsupportedPattern } from "../text/regex.ts";
import { castValue } from "../../event/pipeline/run.ts";
import { urlPart } from "../../event/pipeline/url.ts";
import { type Known, foldQuery } from "./fold.ts";
import { type GeoipFeed, geoip, geoipFeeds } from "./geoip.ts";
import { type PlannedOperation, RowMask, UnsupportedPipeline } from "./operation.ts";
import { type Feed, categories, filterRows, move, openMask, placedFeeds, remap } from "./operations.ts";

const NO_SPAN = { start: 0, end: 0 };

type PathKey = Extract<ColumnKey, { readonly path: readonly string[] }>;

/** Filters that make one scalar of a text. */
const scalarFilters: ReadonlySet<string> = new Set([
  "integer", "integerExt", "number", "numberExt", "boolean", "nullIf", "scale", "lowercase", "uppercase", "decodeuricomponent", "decodeurl", "date",
  "length", "entropy", "base64",
]);
/** Rules of parsers that take a whole text. */
const WHOLE_TEXT = "([\\s\\S]+)";

/**
 * Turns pipelines into operations on columns.
 *
 * Worked from the end: what no column needs is left out, and what a processor reads becomes a column that the ones before it must
 * fill. So pipelines cost nothing where no rule looks at what they make.
 */
export class PipelinePlanner {
  readonly #columns: ColumnPlan;
  readonly #known: Known;
  readonly #once = new Map<Processor["kind"], RowMask>();

  constructor(columns: ColumnPlan, known: Known) {
    this.#columns = columns;
    this.#known = known;
  }

  /** @throws UnsupportedPipeline when a processor that matters has no operation. */
  plan(pipelines: readonly Pipeline[]): PlannedOperation[] {
    const planned = pipelines.toReversed().map((pipeline) => this.#pipeline(pipeline, undefined));
    return [...[...this.#once.values()].map(openMask), ...planned.toReversed().flat()];
  }

  #pipeline(pipeline: Pipeline, parent: RowMask | undefined): PlannedOperation[] {
    const filter = pipeline.enabled && foldQuery(pipeline.filter, this.#known);
    if (filter === false) return [];
    const mask = filter === true ? parent : new RowMask();
    const operations: PlannedOperation[] = [];
    for (const processor of pipeline.processors.toReversed()) operations.unshift(...this.#processor(processor, mask));
    if (operations.length && filter !== true) operations.unshift(filterRows(new Matching(this.#columns, [{ id: 0, query: filter }]), mask!, parent));
    return operations;
  }

  #processor(processor: Processor, mask: RowMask | undefined): PlannedOperation[] {
    switch (processor.kind) {
      case "pipeline":
        return this.#pipeline(processor.pipeline, mask);
      case "grok-parser":
        return this.#grok(processor.source, processor.rules.map((rule) => this.#captured(rule)), mask);
      case "category-processor": {
        const feeds = this.#feedsOf(processor.target);
        if (!feeds.length) return [];
        const matching = new Matching(this.#columns, processor.categories.map((category, id) => ({ id, query: category.filter })));
        return [categories(matching, processor.categories.map((category) => category.name), mask, feeds)];
      }
      case "lookup-processor":
        return this.#lookup(processor, mask);
      case "url-parser":
        return this.#url(processor, mask);
      case "attribute-remapper":
        return this.#attribute(processor, mask);
      case "date-remapper":
        return [remap(this.#reserved("timestamp"), this.#sources(processor.sources), mask, false, undefined)];
      case "status-remapper":
        return this.#remapper(processor, "status", mask);
      case "service-remapper":
        return this.#remapper(processor, "service", mask);
      case "message-remapper":
        return this.#remapper(processor, "message", mask);
      case "trace-id-remapper":
        return this.#remapper(processor, "trace_id", mask);
      case "span-id-remapper":
        return this.#onlyUnneeded({ kind: "attribute", path: ["span_id"] }, processor.kind);
      case "geo-ip-parser":
        return this.#geoip(processor, mask);
      case "string-builder-processor":
      case "arithmetic-processor":
      case "user-agent-parser":
        return this.#onlyUnneeded(processor.target, processor.kind);
      default:
        return unreachable(processor);
    }
  }

  #remapper(processor: Extract<Processor, { readonly sources: readonly Place[] }>, name: "status" | "service" | "message" | "trace_id", mask: RowMask | undefined): PlannedOperation[] {
    if (!this.#columns.keys.some((key) => key.kind === "reserved" && key.name === name)) return [];
    let once = this.#once.get(processor.kind);
    if (!once) this.#once.set(processor.kind, (once = new RowMask()));
    return [remap(this.#reserved(name), this.#sources(processor.sources), mask, name === "status", once)];
  }

  #attribute(processor: Extract<Processor, { readonly kind: "attribute-remapper" }>, mask: RowMask | undefined): PlannedOperation[] {
    const { target, preserveSource, overrideOnConflict } = processor;
    if (target.kind !== "attribute") return this.#onlyUnneeded(target, processor.kind);
    const operations: PlannedOperation[] = [];
    const sources = processor.sources.filter((source) => JSON.stringify(source) !== JSON.stringify(target));
    if (!preserveSource) {
      // A source that is moved away leaves the columns that look at it or into it.
      for (const source of sources) {
        if (source.kind !== "attribute") continue;
        for (const key of this.#pathKeys()) {
          if (startsWith(source.path, key.path) && key.kind === "exists" && key.path.length < source.path.length) throw new UnsupportedPipeline(`${name(key.path)}:* above an attribute that is moved`);
          if (startsWith(key.path, source.path)) this.#columns.column({ kind: key.kind, path: [...target.path, ...key.path.slice(source.path.length)] });
        }
      }
    }
    const keys = this.#pathKeys().filter((key) => startsWith(key.path, target.path) || (key.kind === "exists" && startsWith(target.path, key.path)));
    if (keys.length && processor.targetFormat !== "auto") return this.#casting(processor, keys, sources, mask);
    if (keys.length && overrideOnConflict && sources.length > 1) throw new UnsupportedPipeline(`${processor.kind} of several sources that overrides`);
    for (const key of keys) {
      for (const source of sources) {
        const rest = key.path.slice(target.path.length);
        const from = this.#sourceColumn(source, key.kind, rest);
        if (from === undefined) continue;
        const column = this.#columns.column(key);
        const take = !preserveSource && source.kind === "attribute" && key.path.length >= target.path.length;
        operations.push(move({ target: column, source: from, override: overrideOnConflict, take }, mask));
      }
    }
    return operations;
  }

  /** A remapper that makes another type of the value on its way. */
  #casting(processor: Extract<Processor, { readonly kind: "attribute-remapper" }>, keys: readonly PathKey[], sources: readonly Place[], mask: RowMask | undefined): PlannedOperation[] {
    const { target, targetFormat, preserveSource, overrideOnConflict } = processor;
    if (target.kind !== "attribute" || !preserveSource || (overrideOnConflict && sources.length > 1)) throw new UnsupportedPipeline(`${processor.kind} with a target format that moves or overrides`);
    if (keys.some((key) => key.path.length > target.path.length)) throw new UnsupportedPipeline(`${processor.kind} with a target format, of an object`);
    const feeds = keys.map((key): Feed => ({ column: this.#columns.column(key), clears: false, fills: !overrideOnConflict }));
    const filter: TextFilter = (text) => {
      const value = castValue(text, targetFormat);
      return typeof value === "object" ? undefined : value;
    };
    return sources.flatMap((source) => this.#text(source, [{ regex: WHOLE_TEXT, captures: [{ group: 1, path: target.path, filter }] }], () => feeds, mask));
  }

  /** Column of a remapper's source, or of what lies below it. */
  #sourceColumn(source: Place, kind: "attribute" | "exists", rest: readonly string[]): number | undefined {
    switch (source.kind) {
      case "attribute":
        return this.#columns.column({ kind, path: [...source.path, ...rest] });
      case "reserved":
        return rest.length ? undefined : this.#columns.column(source);
      case "tag":
        return rest.length ? undefined : this.#columns.column(source);
    }
  }

  #lookup(processor: Extract<Processor, { readonly kind: "lookup-processor" }>, mask: RowMask | undefined): PlannedOperation[] {
    const { source, target, table, fallback } = processor;
    if (target.kind !== "attribute") return this.#onlyUnneeded(target, processor.kind);
    if (source.kind === "attribute" && fallback === undefined) {
      const feeds = this.#feeds(target.path);
      if (!feeds.length) return [];
      const entries = [...table].map(([text, value]) => ({ name: value, query: { kind: "leaf", field: source, test: { kind: "phrase", text }, span: NO_SPAN } satisfies QueryNode }));
      return [categories(new Matching(this.#columns, entries.map(({ query }, id) => ({ id, query }))), entries.map((entry) => entry.name), mask, feeds)];
    }
    return this.#grok(source, [{ regex: WHOLE_TEXT, captures: [{ group: 1, path: target.path, filter: (text) => table.get(text) ?? fallback }] }], mask);
  }

  #url(processor: Extract<Processor, { readonly kind: "url-parser" }>, mask: RowMask | undefined): PlannedOperation[] {
    const { sources, target } = processor;
    if (target.kind !== "attribute" || sources.length !== 1) return this.#onlyUnneeded(target, processor.kind);
    const captures: TextCapture[] = [];
    for (const key of this.#pathKeys()) {
      const rest = key.path.slice(target.path.length);
      if (!startsWith(key.path, target.path)) {
        if (key.kind === "exists" && startsWith(target.path, key.path)) throw new UnsupportedPipeline(`${name(key.path)}:* above what a URL is parsed to`);
        continue;
      }
      if (key.kind === "exists") throw new UnsupportedPipeline(`${name(key.path)}:* within what a URL is parsed to`);
      if (rest.length !== 1) {
        if (rest[0] === "queryString") throw new UnsupportedPipeline("parts of a query string");
        continue;
      }
      captures.push({ group: 1, path: key.path, filter: urlPart(rest[0]!) });
    }
    return captures.length ? this.#grok(sources[0]!, [{ regex: WHOLE_TEXT, captures }], mask) : [];
  }

  #geoip({ sources, target, geoip: data }: Extract<Processor, { readonly kind: "geo-ip-parser" }>, mask: RowMask | undefined): PlannedOperation[] {
    if (!data || target.kind !== "attribute") return [];
    const near = this.#pathKeys().filter((key) => startsWith(key.path, target.path) || startsWith(target.path, key.path));
    const feeds = geoipFeeds(near.map((key): GeoipFeed => ({
      column: this.#columns.column(key), rest: key.path.length < target.path.length ? undefined : key.path.slice(target.path.length), isExistence: key.kind === "exists",
    })));
    return feeds.length ? [geoip(data, this.#sources(sources), feeds, mask)] : [];
  }

  #captured(rule: GrokRule): { regex: string; captures: TextCapture[] } {
    return {
      regex: rule.regex,
      captures: rule.captures.flatMap(({ group, path, filters }): TextCapture[] => {
        if (path && !this.#feeds(path).length && !this.#pathKeys().some((key) => startsWith(key.path, path))) return [];
        const odd = filters.find((filter) => !scalarFilters.has(filter.name));
        if (odd) throw new UnsupportedPipeline(`grok filter ${odd.name}`);
        if (!path) throw new UnsupportedPipeline("a grok capture without an attribute");
        return [{ group, path, filters, filter: filterOf(filters) }];
      }),
    };
  }

  #grok(source: Place, rules: GrokSpec["rules"], mask: RowMask | undefined): PlannedOperation[] {
    // Feeds are looked up now: columns asked for later are not changed by this processor, those that are come before it.
    const feedsOf = new Map(rules.flatMap((rule) => rule.captures.map((capture) => [capture, this.#feeds(capture.path)] as const)));
    if (![...feedsOf.values()].some((feeds) => feeds.length)) return [];
    for (const rule of rules) {
      const paths = rule.captures.map((capture) => name(capture.path));
      if (new Set(paths).size < paths.length) throw new UnsupportedPipeline("a grok rule that captures one attribute twice");
    }
    return this.#text(source, rules, (capture) => feedsOf.get(capture)!, mask);
  }

  #text(source: Place, rules: GrokSpec["rules"], feedsOf: (capture: TextCapture) => readonly Feed[], mask: RowMask | undefined): PlannedOperation[] {
    if (source.kind === "tag") throw new UnsupportedPipeline("grok of a tag");
    try {
      compileText(rules.map((rule) => rule.regex));
    } catch (error) {
      if (error instanceof UnsupportedPattern) throw new UnsupportedPipeline(`grok pattern with ${error.message}`);
      throw error;
    }
    const column = this.#columns.column(source.kind === "attribute" ? source : { kind: "reserved", name: source.name });
    return [(placement) => {
      const step = new GrokStep(placement.arena, placement.texts, {
        rules, source: placement.descriptorOf(column), mask: mask?.address ?? 0,
        feeds: (capture) => placedFeeds(feedsOf(capture), placement.descriptorOf),
      });
      return { run: (rows) => step.run(placement.kernel, rows) };
    }];
  }

  /** Columns that a scalar at the place changes. */
  #feedsOf(place: Place): readonly Feed[] {
    switch (place.kind) {
      case "attribute":
        return this.#feeds(place.path);
      case "reserved":
      case "tag":
        this.#onlyUnneeded(place, "a value");
        return [];
    }
  }

  #feeds(path: readonly string[]): readonly Feed[] {
    const feeds: Feed[] = [];
    for (const key of this.#pathKeys()) {
      const isAt = key.path.length === path.length && startsWith(key.path, path);
      const isAbove = !isAt && startsWith(path, key.path);
      const isBelow = !isAt && startsWith(key.path, path);
      if (isAt || (isAbove && key.kind === "exists")) feeds.push({ column: this.#columns.column(key), clears: false });
      // A scalar takes the place of what lay below it, and of a scalar above it.
      else if (isAbove || isBelow) feeds.push({ column: this.#columns.column(key), clears: true });
    }
    return feeds.some((feed) => !feed.clears) ? feeds : [];
  }

  #pathKeys(): PathKey[] {
    return this.#columns.keys.filter((key): key is PathKey => key.kind === "attribute" || key.kind === "exists");
  }

  #reserved(name: "timestamp" | "status" | "service" | "message" | "trace_id"): number {
    return this.#columns.column({ kind: "reserved", name });
  }

  #sources(places: readonly Place[]): number[] {
    return places.map((place) => this.#columns.column(place.kind === "attribute" ? place : place.kind === "tag" ? place : { kind: "reserved", name: place.name }));
  }

  /** For processors without an operation: fine where nobody needs what they make. */
  #onlyUnneeded(target: Place, what: string): [] {
    const isNeeded = this.#columns.keys.some((key) => {
      switch (key.kind) {
        case "attribute":
        case "exists":
          return target.kind === "attribute" && (startsWith(key.path, target.path) || (key.kind === "exists" && startsWith(target.path, key.path)));
        case "reserved":
          return target.kind === "reserved" && key.name === target.name;
        case "tag":
          return target.kind === "tag" && key.key === target.key;
        case "tags":
          return target.kind === "tag";
        case "member":
        case "all":
        case "addresses":
          return false;
      }
    });
    if (isNeeded) throw new UnsupportedPipeline(what);
    return [];
  }
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.length <= path.length && start.every((segment, i) => segment === path[i]);
}

function name(path: readonly string[]): string {
  return `@${path.join(".")}`;
}

function filterOf(filters: readonly GrokFilter[]): TextFilter | undefined {
  return filters.length ? filterChain(filters) : undefined;
}
