import { CAPTURE_HOST, CAPTURE_NUMERIC, CAPTURE_TEXT } from "../../../assembly/layout.ts";
import type { GrokFilter, GrokRule, Pipeline, Place, Processor, TargetFormat } from "../../event/pipeline/pipeline.ts";
import { unreachable } from "../../problem.ts";
import type { ColumnKey, ColumnPlan } from "../columns.ts";
import { Matching } from "../matching/matching.ts";
import { type TextFilter, filterChain, valueChain } from "../text/host-texts.ts";
import { type GrokSpec, GrokStep, type TextCapture } from "../text/grok-step.ts";
import { compileText } from "../text/program.ts";
import { UnsupportedPattern } from "../text/regex.ts";
import { readArithmetic } from "../../event/pipeline/arithmetic.ts";
import { placeNamed } from "../../event/pipeline/place.ts";
import { castValue } from "../../event/pipeline/run.ts";
import { normalizeStatus } from "../../event/status.ts";
import { normalizeTag } from "../../event/tags.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { Scalar } from "../../query/values.ts";
import { urlPart } from "../../event/pipeline/url.ts";
import { type Known, foldQuery } from "./fold.ts";
import { type GeoipFeed, geoip, geoipFeeds } from "./geoip.ts";
import { type PlannedOperation, RowMask, UnsupportedPipeline } from "./operation.ts";
import { type Feed, categories, openMask, placedFeeds, within } from "./operations.ts";
import { calculated } from "./calculated.ts";
import { type MembersKey, MembersStep } from "./members-step.ts";
import { type Assigned, type BuiltPart, type Maker, type RemappedSource, type ValueFilter, assign, built, chosen, converted, remap, remapValues, through } from "./values.ts";

/** Where something goes that a step makes, and what becomes of it on its way. */
interface Given {
  readonly assigned: Assigned;
  readonly filter: ValueFilter;
}

type PathKey = Extract<ColumnKey, { readonly path: readonly string[] }>;

/** Filters that make one scalar of a text. */
const scalarFilters: ReadonlySet<string> = new Set([
  "integer", "integerExt", "number", "numberExt", "boolean", "nullIf", "scale", "lowercase", "uppercase", "decodeuricomponent", "decodeurl", "date",
  "length", "entropy", "base64",
]);
/** Filters that make objects and arrays of one. */
const memberFilters: ReadonlySet<string> = new Set(["json", "keyvalue", "querystring", "array"]);
/** Rules of parsers that take a whole text. */
const TEMPLATE_BLOCK = /%\{([^{}]*)\}/;
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
  #steps = 0;
  readonly #once = new Map<Processor["kind"], RowMask>();

  /** Pipelines that an event may reach with other than what is known. */
  readonly #unknown = new Set<Pipeline>();

  constructor(columns: ColumnPlan, known: Known) {
    this.#columns = columns;
    this.#known = known;
  }

  /** Processors that have come to operations. */
  get steps(): number {
    return this.#steps;
  }

  /** @throws UnsupportedPipeline when a processor that matters has no operation. */
  plan(pipelines: readonly Pipeline[]): PlannedOperation[] {
    this.#follow(pipelines, false);
    const planned = pipelines.toReversed().map((pipeline) => this.#pipeline(pipeline, undefined));
    return [...[...this.#once.values()].map(openMask), ...planned.toReversed().flat()];
  }

  /** Finds the filters before which a processor may have changed what is known. @returns whether one has */
  #follow(pipelines: readonly Pipeline[], isChanged: boolean): boolean {
    for (const pipeline of pipelines) {
      if (isChanged) this.#unknown.add(pipeline);
      if (!pipeline.enabled || this.#folded(pipeline) === false) continue;
      for (const processor of pipeline.processors) {
        if (processor.kind === "pipeline") isChanged = this.#follow([processor.pipeline], isChanged);
        else if (processor.kind === "service-remapper" || ("target" in processor && processor.target.kind === "reserved" && Object.hasOwn(this.#known, processor.target.name))) isChanged = true;
      }
    }
    return isChanged;
  }

  #folded(pipeline: Pipeline): QueryNode | boolean {
    return foldQuery(pipeline.filter, this.#unknown.has(pipeline) ? {} : this.#known);
  }

  #pipeline(pipeline: Pipeline, parent: RowMask | undefined): PlannedOperation[] {
    const filter = pipeline.enabled && this.#folded(pipeline);
    if (filter === false) return [];
    const mask = filter === true ? parent : new RowMask();
    const operations: PlannedOperation[] = [];
    for (const processor of pipeline.processors.toReversed()) {
      const planned = this.#processor(processor, mask);
      if (processor.kind !== "pipeline" && planned.length) this.#steps++;
      operations.unshift(...planned);
    }
    if (!operations.length || filter === true) return operations;
    return [within(new Matching(this.#columns, [{ id: 0, query: filter }]), mask!, parent, operations)];
  }

  #processor(processor: Processor, mask: RowMask | undefined): PlannedOperation[] {
    switch (processor.kind) {
      case "pipeline":
        return this.#pipeline(processor.pipeline, mask);
      case "grok-parser":
        return this.#grok(processor.source, processor.rules.map((rule) => this.#captured(rule)), mask);
      case "category-processor": {
        const given = this.#assigned(processor.target, processor.kind);
        if (!given) return [];
        const matching = new Matching(this.#columns, processor.categories.map((category, id) => ({ id, query: category.filter })));
        return categoriesGiven(matching, processor.categories.map((category) => category.name), given, mask);
      }
      case "lookup-processor":
        return this.#lookup(processor, mask);
      case "url-parser":
        return this.#url(processor, mask);
      case "attribute-remapper":
        return this.#attribute(processor, mask);
      case "date-remapper":
        return [remap(this.#reserved("timestamp"), this.#sources(processor.sources), mask, "time", undefined)];
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
        return this.#builder(processor, mask);
      case "arithmetic-processor":
        return this.#arithmetic(processor, mask);
      case "user-agent-parser":
        return [];
      default:
        return unreachable(processor);
    }
  }

  #remapper(processor: Extract<Processor, { readonly sources: readonly Place[] }>, name: "status" | "service" | "message" | "trace_id", mask: RowMask | undefined): PlannedOperation[] {
    if (!this.#columns.keys.some((key) => key.kind === "reserved" && key.name === name)) return [];
    let once = this.#once.get(processor.kind);
    if (!once) this.#once.set(processor.kind, (once = new RowMask()));
    return [remap(this.#reserved(name), this.#sources(processor.sources), mask, name === "status" ? "status" : "text", once)];
  }

  #attribute(processor: Extract<Processor, { readonly kind: "attribute-remapper" }>, mask: RowMask | undefined): PlannedOperation[] {
    const { target, preserveSource, overrideOnConflict, targetFormat } = processor;
    const at = processor.sources.findIndex((source) => isSamePlace(source, target));
    if (at >= 0 && overrideOnConflict && at < processor.sources.length - 1) throw new UnsupportedPipeline(`${processor.kind} that overrides its own source`);
    const sources = processor.sources.filter((source) => !isSamePlace(source, target));
    if (target.kind !== "attribute") return this.#outwards(processor, target, sources, mask);
    if (!preserveSource) {
      // A source that is moved away leaves the columns that look at it or into it.
      for (const source of sources) {
        if (source.kind === "tag") this.#onlyUnneeded(source, "a tag that is moved");
        if (source.kind !== "attribute") continue;
        for (const key of this.#pathKeys()) {
          if (startsWith(source.path, key.path) && key.kind === "exists" && key.path.length < source.path.length) throw new UnsupportedPipeline(`${name(key.path)}:* above an attribute that is moved`);
          if (startsWith(key.path, source.path)) this.#columns.column({ kind: key.kind, path: [...target.path, ...key.path.slice(source.path.length)] });
        }
      }
    }
    // What stands above is told first: the source is taken away by those at its own place.
    const keys = this.#pathKeys().filter((key) => startsWith(key.path, target.path) || (key.kind === "exists" && startsWith(target.path, key.path))).sort((a, b) => a.path.length - b.path.length);
    return keys.flatMap((key): PlannedOperation[] => {
      const rest = key.path.slice(target.path.length);
      const cast = key.kind === "attribute" && !rest.length ? castFilter(targetFormat) : undefined;
      const from = sources.flatMap((source): RemappedSource[] => {
        const column = this.#sourceColumn(source, key.kind, rest);
        // Of several tags of a key the first counts.
        const filter = source.kind === "tag" ? { ...(cast ?? { kind: CAPTURE_TEXT, keepsEmpty: true }), first: true } : cast;
        return column === undefined ? [] : [{ column, filter, takes: !preserveSource && source.kind === "attribute" && key.path.length >= target.path.length ? [column] : [] }];
      });
      return from.length ? [remapValues(from, { kind: "columns", feeds: [{ column: this.#columns.column(key), clears: false }] }, overrideOnConflict, mask)] : [];
    });
  }

  /** A remapper to what is no attribute. */
  #outwards(processor: Extract<Processor, { readonly kind: "attribute-remapper" }>, target: Exclude<Place, { readonly kind: "attribute" }>, sources: readonly Place[], mask: RowMask | undefined): PlannedOperation[] {
    const { preserveSource, overrideOnConflict, targetFormat } = processor;
    const given = this.#assigned(target, processor.kind);
    if (!given && preserveSource) return [];
    // What is moved away is missed, whether or not somebody asks for where it goes.
    if (!preserveSource) for (const source of sources) if (source.kind !== "reserved") this.#onlyUnneeded(source, `${processor.kind} that moves to what is no attribute`);
    if (!given) return [];
    const filter = chained(castFilter(targetFormat)?.filter, given.filter);
    return [remapValues(this.#sources(sources).map((column, i) => ({ column, takes: [], filter: sources[i]!.kind === "tag" ? { ...filter, first: true } : filter })), given.assigned, overrideOnConflict, mask)];
  }

  /** Where a value goes and what it becomes there; undefined where nobody asks for it. */
  #assigned(target: Place, what: string): Given | undefined {
    const text: ValueFilter = { kind: CAPTURE_TEXT, first: true };
    switch (target.kind) {
      case "attribute": {
        const feeds = this.#feeds(target.path);
        return feeds.length ? { assigned: { kind: "columns", feeds }, filter: text } : undefined;
      }
      case "reserved":
        // Times are read once, at the end, and every event has one.
        if (target.name === "timestamp") throw new UnsupportedPipeline(`${what} to the time of the event`);
        if (!this.#columns.keys.some((key) => key.kind === "reserved" && key.name === target.name)) return undefined;
        return { assigned: { kind: "reserved", column: this.#reserved(target.name), isStatus: target.name === "status" }, filter: text };
      case "tag": {
        const { key } = target;
        const wholes = this.#columns.keys.some((each) => each.kind === "tags");
        if (!wholes && !this.#columns.keys.some((each) => each.kind === "tag" && each.key === key)) return undefined;
        if (normalizeTag(`${key}:x`) !== `${key}:x`) throw new UnsupportedPipeline(`${what} to a tag whose key is changed`);
        const assigned: Assigned = { kind: "tag", key, values: this.#columns.column({ kind: "tag", key }), tags: wholes ? this.#columns.column({ kind: "tags" }) : undefined };
        return { assigned, filter: { kind: CAPTURE_HOST, filter: (value) => normalizeTag(`${key}:${value}`) } };
      }
    }
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
    const given = this.#assigned(target, processor.kind);
    if (!given) return [];
    return [assign(converted(this.#sources([source])[0]!, chained((value) => table.get(String(value)) ?? fallback, given.filter)), given.assigned, mask)];
  }

  #builder({ template, target, replaceMissing, kind }: Extract<Processor, { readonly kind: "string-builder-processor" }>, mask: RowMask | undefined): PlannedOperation[] {
    const given = this.#assigned(target, kind);
    if (!given) return [];
    const parts = template.split(TEMPLATE_BLOCK).map((text, i): BuiltPart => (i % 2 ? { column: this.#named(text.trim(), kind) } : { text })).filter(({ text }) => text !== "");
    return [assign(onItsWay(built(parts, replaceMissing), given), given.assigned, mask)];
  }

  #arithmetic({ expression, target, replaceMissing, kind }: Extract<Processor, { readonly kind: "arithmetic-processor" }>, mask: RowMask | undefined): PlannedOperation[] {
    const given = this.#assigned(target, kind);
    if (!given) return [];
    const read = readArithmetic(expression);
    // One that cannot be read changes nothing.
    if (typeof read === "string") return [];
    return [assign(onItsWay(calculated(read, (operand) => this.#named(operand, kind), replaceMissing), given), given.assigned, mask)];
  }

  /** Column of what a template or an expression names. */
  #named(text: string, what: string): number {
    const place = placeNamed(text);
    if (place.kind === "reserved" && place.name === "timestamp") throw new UnsupportedPipeline(`${what} of the time of the event`);
    return this.#sources([place])[0]!;
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
      const part = urlPart(rest[0]!);
      captures.push({ group: 1, path: key.path, filter: (url) => part(String(url)) });
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
        if (path && !this.#pathKeys().some((key) => startsWith(key.path, path) || startsWith(path, key.path))) return [];
        const odd = filters.find((filter) => !scalarFilters.has(filter.name));
        if (!odd && path) return [{ group, path, filters, filter: filterOf(filters) }];
        if (odd && !memberFilters.has(odd.name)) throw new UnsupportedPipeline(`grok filter ${odd.name}`);
        const keys = this.#membersKeys(path ?? []);
        return keys.length ? [{ group, path: path ?? [], members: { keys, read: valueChain(filters) } }] : [];
      }),
    };
  }

  /** Columns that an object at the path may change. */
  #membersKeys(path: readonly string[]): MembersKey[] {
    return this.#pathKeys().filter((key) => startsWith(key.path, path) || startsWith(path, key.path)).map((key) => ({ column: this.#columns.column(key), path: key.path, isExistence: key.kind === "exists" }));
  }

  #grok(source: Place, rules: GrokSpec["rules"], mask: RowMask | undefined): PlannedOperation[] {
    // Feeds are looked up now: columns asked for later are not changed by this processor, those that are come before it.
    const feedsOf = new Map(rules.flatMap((rule) => rule.captures.map((capture) => [capture, capture.members ? [] : this.#feeds(capture.path)] as const)));
    if (![...feedsOf].some(([{ members }, feeds]) => members || feeds.length)) return [];
    for (const { captures } of rules) {
      captures.forEach((a, i) => captures.slice(0, i).forEach((b) => {
        const isShared = a.members || b.members ? startsWith(a.path, b.path) || startsWith(b.path, a.path) : name(a.path) === name(b.path);
        if (isShared) throw new UnsupportedPipeline("a grok rule that captures one attribute twice");
      }));
    }
    return this.#text(source, rules, (capture) => feedsOf.get(capture)!, mask);
  }

  #text(source: Place, rules: GrokSpec["rules"], feedsOf: (capture: TextCapture) => readonly Feed[], mask: RowMask | undefined): PlannedOperation[] {
    if (source.kind === "reserved" && source.name === "timestamp") throw new UnsupportedPipeline("grok of the time of the event");
    try {
      compileText(rules.map((rule) => rule.regex));
    } catch (error) {
      if (error instanceof UnsupportedPattern) throw new UnsupportedPipeline(`grok pattern with ${error.message}`);
      throw error;
    }
    const [column] = this.#sources([source]) as [number];
    return [(placement) => {
      const { kernel } = placement;
      const held = new Map(rules.flatMap(({ captures }) => captures.filter(({ members }) => members).map((capture) => [capture, placement.column()] as const)));
      const joins = [...held].map(([{ path, members }, texts]) => new MembersStep(placement, texts, path, members!.keys, members!.read));
      const step = new GrokStep(placement.arena, placement.texts, {
        rules, source: placement.descriptorOf(column), mask: mask?.address ?? 0,
        feeds: (capture) => (capture.members ? [{ descriptor: held.get(capture)!, clears: false }] : placedFeeds(feedsOf(capture), placement.descriptorOf)),
      });
      return {
        run(rows) {
          for (const texts of held.values()) kernel.clearColumn(texts, rows);
          return step.run(kernel, rows) && joins.every((join) => join.run(rows));
        },
      };
    }];
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

  #reserved(name: Extract<Place, { readonly kind: "reserved" }>["name"]): number {
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

/** A filter behind another. */
function chained(first: TextFilter | undefined, { kind, filter, ...rest }: ValueFilter): ValueFilter {
  if (!first) return { kind, filter, ...rest };
  return {
    ...rest, kind: CAPTURE_HOST,
    filter(value, arrivalMs) {
      const made = first(value, arrivalMs);
      if (made === undefined || !filter) return made;
      return made === "" ? undefined : filter(made, arrivalMs);
    },
  };
}

/** What is made is no more than a value of an attribute; elsewhere it takes the form that things have there. */
function onItsWay(maker: Maker, { assigned, filter }: Given): Maker {
  return assigned.kind === "columns" ? maker : through(maker, filter);
}

/** The first category that matches gives its name. */
function categoriesGiven(matching: Matching, names: readonly string[], { assigned, filter: { filter } }: Given, mask: RowMask | undefined): PlannedOperation[] {
  switch (assigned.kind) {
    case "columns":
      return [categories(matching, names, mask, assigned.feeds)];
    case "reserved":
      return [categories(matching, assigned.isStatus ? names.map(normalizeStatus) : names, mask, [{ column: assigned.column, clears: false }])];
    case "tag":
      return [assign(chosen(matching, names.map((each) => String(filter!(each, Number.NaN)))), assigned, mask)];
  }
}

function isSamePlace(a: Place, b: Place): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A remapper's target format, of each value; undefined where they stay as they are. */
function castFilter(format: TargetFormat): ValueFilter | undefined {
  if (format === "auto") return undefined;
  const filter: TextFilter = (value) => castValue(value, format) as Scalar;
  return format === "string" ? { kind: CAPTURE_TEXT, keepsEmpty: true } : { kind: CAPTURE_NUMERIC, filter, keepsEmpty: true };
}

function filterOf(filters: readonly GrokFilter[]): TextFilter | undefined {
  return filters.length ? filterChain(filters) : undefined;
}
