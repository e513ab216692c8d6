import type { AnomalyFacts } from "../detect/hit.ts";
import type { Json, LogEvent } from "../event/event.ts";
import { readTimestamp } from "../event/timestamp.ts";
import { fieldText } from "../query/field.ts";
import { matches } from "../query/matches.ts";
import type { Field } from "../query/tree.ts";
import { valuesOf } from "../query/values.ts";
import type { Rule, RuleQuery } from "../rule/rule.ts";
import type { DocumentDetails, DocumentQuery } from "./document.ts";
import { MergedPaths, PATH_VALUES, type SavedPaths } from "./merged-paths.ts";

/** Hosts, services and sources kept, of each the first. */
const NAMES = 20;
const TAGS = 200;
/** Values of a method's own facts. */
const FACTS = 20;
const FACT_UNITS = 2048;

type Name = "host" | "service" | "source";

/** A query whose numbers are added up or compared. */
interface Series {
  readonly queryIndex: number;
  readonly query: RuleQuery;
  readonly metric: Field;
}

/** What the details of a rule's signals are made with. */
export interface DetailPlan {
  readonly rule: Rule;
  readonly keptPaths: ReadonlyArray<readonly string[]>;
  readonly keptTags: ReadonlySet<string>;
  readonly series: readonly Series[];
  /** Fields whose contents are odd: of content anomaly. */
  readonly contents: ReadonlyArray<{ readonly name: string; readonly field: Field }>;
}

export interface SavedDetails {
  readonly paths: SavedPaths;
  readonly names: Readonly<Record<Name, readonly string[]>>;
  /** Key to its tags; 0: too many. */
  readonly tags: ReadonlyArray<readonly [key: string, tags: readonly string[] | 0]>;
  readonly sums: ReadonlyArray<number | null>;
  readonly facts: { readonly [name: string]: Json };
  readonly caseIndex: number;
  readonly triggeredMs: number;
  readonly isLowered: boolean;
  readonly firstEventMs: number | null;
}

export function detailPlan(rule: Rule): DetailPlan {
  const { method } = rule.options;
  const fields = [...rule.queries, ...(method.kind === "third_party" ? method.rootQueries : [])].flatMap(({ groupBy }) => groupBy);
  return {
    rule,
    keptPaths: fields.flatMap((field) => (field.kind === "attribute" ? [field.path] : [])),
    keptTags: new Set(fields.flatMap((field) => (field.kind === "tag" ? [field.key] : []))),
    series: rule.queries.flatMap((query, queryIndex) => ((query.aggregation === "sum" || query.aggregation === "max") && query.metrics[0] ? [{ queryIndex, query, metric: query.metrics[0] }] : [])),
    contents: method.kind === "content_anomaly" ? contentFields(rule) : [],
  };
}

/** What a stored signal tells beside what a printed one does. It is given the signal's first events, in order. */
export class SignalDetails {
  readonly #plan: DetailPlan;
  /** JSON of the paths since somebody last looked: most signals rest then, and as a tree they take several times as much. */
  #packed: string | undefined;
  #tree: MergedPaths | undefined = new MergedPaths();
  readonly #names: Readonly<Record<Name, Set<string>>> = { host: new Set(), service: new Set(), source: new Set() };
  readonly #tags = new Map<string, Set<string> | undefined>();
  #tagCount = 0;
  /** By series; undefined: no number yet. */
  readonly #sums: Array<number | undefined> = [];
  #facts: { [name: string]: Json } = {};
  #firstEventMs = Number.POSITIVE_INFINITY;
  /** Of the match that names the signal. */
  caseIndex = 0;
  triggeredMs = Number.POSITIVE_INFINITY;
  isLowered = false;

  constructor(plan: DetailPlan) {
    this.#plan = plan;
    for (const path of plan.keptPaths) this.#paths.keep(path);
  }

  get #paths(): MergedPaths {
    if (!this.#tree) {
      this.#tree = MergedPaths.restore(JSON.parse(this.#packed!) as SavedPaths);
      this.#packed = undefined;
    }
    return this.#tree;
  }

  /** Nobody may come for long. */
  #rest(): void {
    this.#packed ??= JSON.stringify(this.#paths.save());
    this.#tree = undefined;
  }

  add(event: LogEvent): void {
    for (const name of ["host", "service", "source"] as const) {
      const value = event[name];
      if (value !== undefined && this.#names[name].size < NAMES) this.#names[name].add(value);
    }
    for (const tag of event.tags ?? []) this.#addTag(tag);
    const atMs = event.timestamp === undefined ? undefined : readTimestamp(event.timestamp, this.triggeredMs);
    if (atMs !== undefined && atMs < this.#firstEventMs) this.#firstEventMs = atMs;
    if (event.attributes) this.#paths.add(event.attributes);
    this.#plan.series.forEach((series, i) => this.#count(series, i, event));
    for (const { name, field } of this.#plan.contents) for (const value of valuesOf(field, event)) this.#addFact("content_anomaly", { field: name, value: cut(value) });
  }

  /** A match says what is new: fields and their values, in order. */
  addNewValues(values: readonly string[]): void {
    const { new_value: known } = this.#facts as { new_value?: { readonly fields: string[]; values: Json[] } };
    const fields = this.#plan.rule.queries.flatMap(({ metrics }) => metrics.map(fieldText)).slice(0, values.length);
    const row: Json = values.length === 1 ? cut(values[0]!) : values.map((value) => cut(value));
    const rows = known?.values ?? [];
    if (rows.length < FACTS && !rows.some((each) => JSON.stringify(each) === JSON.stringify(row))) this.#facts.new_value = { fields, values: [...rows, row] };
  }

  /** The latest anomalous bucket; what was expected of it is asked for once. */
  setAnomaly({ bucketStartMs, observed, upper, expected }: AnomalyFacts): void {
    const known = this.#facts.anomaly as { readonly bucket_start: number; readonly expected: Json } | undefined;
    this.#facts.anomaly = { expected: known?.bucket_start === bucketStartMs ? known.expected : expected(), upper, observed, bucket_start: bucketStartMs };
  }

  setTravel(attributes: Json): void {
    if (typeof attributes === "object" && attributes !== null && !Array.isArray(attributes)) Object.assign(this.#facts, attributes);
  }

  /** The other's match names the signal. */
  takeCase({ caseIndex, triggeredMs, isLowered }: Pick<SignalDetails, "caseIndex" | "triggeredMs" | "isLowered">): void {
    this.caseIndex = caseIndex;
    this.triggeredMs = triggeredMs;
    this.isLowered = isLowered;
  }

  /** Takes over what a signal holds that is part of this one; as another's event it names no case. */
  absorb(other: SignalDetails, isSameRule: boolean): void {
    this.#paths.absorb(other.#paths);
    for (const name of ["host", "service", "source"] as const) for (const value of other.#names[name]) if (this.#names[name].size < NAMES) this.#names[name].add(value);
    for (const [key, tags] of other.#tags) {
      if (!tags) this.#dropTags(key);
      for (const tag of tags ?? []) this.#addTag(tag);
    }
    this.#firstEventMs = Math.min(this.#firstEventMs, other.#firstEventMs);
    if (!isSameRule) return;
    this.#plan.series.forEach(({ query }, i) => this.#join(i, query, other.#sums[i]));
    this.#facts = { ...this.#facts, ...other.#facts };
  }

  /**
   * @param head what is known of the signal beside.
   * @param isWhole were all of its events given?
   */
  document({ perQuery, firstSeenMs, caseName, isWhole }: { readonly perQuery: readonly number[]; readonly firstSeenMs: number; readonly caseName: string; readonly isWhole: boolean }): DocumentDetails {
    const { rule } = this.#plan;
    const { options } = rule;
    const vendor = options.method.kind === "third_party" ? options.method : undefined;
    const chosen = rule.cases[this.caseIndex];
    const document: DocumentDetails = {
      rule: {
        version: rule.version, type: rule.type, method: options.detectionMethod, is_default: rule.isDefault, tags: rule.tags, data_source: rule.queries[0]?.dataSource ?? "logs",
        window_ms: options.evaluationWindowMs, keep_alive_ms: vendor ? options.maxSignalDurationMs : options.keepAliveMs, max_duration_ms: options.maxSignalDurationMs, ...deprecation(rule),
      },
      case: {
        index: this.caseIndex, name: caseName, severity: chosen?.severity ?? vendor?.defaultSeverity ?? "info",
        condition: chosen?.conditionText || chosen?.query?.text || "", notifications: chosen?.notifications ?? vendor?.defaultNotifications ?? [],
      },
      queries: vendor ? vendor.rootQueries.map(({ text, groupByNames }, i) => ({
        name: "", query: text, aggregation: "none" as const, distinct_fields: [], metrics: [], group_by: groupByNames, events: perQuery[i] ?? 0, distinct_values: [],
      })) : rule.queries.map((query, i) => this.#query(query, i, perQuery[i] ?? 0, isWhole)),
      hosts: [...this.#names.host], services: [...this.#names.service], sources: [...this.#names.source],
      tags: [...new Set([...rule.tags, ...[...this.#tags.values()].flatMap((tags) => [...(tags ?? [])])])],
      attributes: this.#paths.attributes(),
      high_cardinality: { attributes: this.#paths.highPaths(), tags: [...this.#tags].flatMap(([key, tags]) => (tags ? [] : [key])).sort() },
      ...(this.#paths.leftOut ? { left_out: this.#paths.leftOut } : {}),
      ...(Object.keys(this.#facts).length ? { method: this.#shownFacts() } : {}),
      env_decremented: this.isLowered,
      triggered_at: Number.isFinite(this.triggeredMs) ? this.triggeredMs : firstSeenMs,
      first_event_at: Math.min(this.#firstEventMs, firstSeenMs),
    };
    this.#rest();
    return document;
  }

  save(): SavedDetails {
    return {
      paths: this.#packed === undefined ? this.#paths.save() : (JSON.parse(this.#packed) as SavedPaths), names: { host: [...this.#names.host], service: [...this.#names.service], source: [...this.#names.source] },
      tags: [...this.#tags].map(([key, tags]) => [key, tags ? [...tags] : 0]), sums: this.#plan.series.map((_, i) => this.#sums[i] ?? null), facts: this.#facts,
      caseIndex: this.caseIndex, triggeredMs: this.triggeredMs, isLowered: this.isLowered, firstEventMs: Number.isFinite(this.#firstEventMs) ? this.#firstEventMs : null,
    };
  }

  static restore(saved: SavedDetails, plan: DetailPlan): SignalDetails {
    const details = new SignalDetails(plan);
    details.#tree = undefined;
    details.#packed = JSON.stringify(saved.paths);
    for (const name of ["host", "service", "source"] as const) for (const value of saved.names[name]) details.#names[name].add(value);
    for (const [key, tags] of saved.tags) {
      details.#tags.set(key, tags === 0 ? undefined : new Set(tags));
      details.#tagCount += tags === 0 ? 0 : tags.length;
    }
    saved.sums.forEach((sum, i) => (details.#sums[i] = sum ?? undefined));
    details.#facts = { ...saved.facts };
    details.caseIndex = saved.caseIndex;
    details.triggeredMs = saved.triggeredMs;
    details.isLowered = saved.isLowered;
    details.#firstEventMs = saved.firstEventMs ?? Number.POSITIVE_INFINITY;
    return details;
  }

  #addTag(tag: string): void {
    const colon = tag.indexOf(":");
    const key = colon < 0 ? tag : tag.slice(0, colon);
    const known = this.#tags.get(key);
    if (!known && this.#tags.has(key)) return;
    if (known?.has(tag)) return;
    if (known && known.size >= PATH_VALUES) {
      if (!this.#plan.keptTags.has(key)) this.#dropTags(key);
      return;
    }
    if (this.#tagCount >= TAGS) return;
    this.#tagCount++;
    if (known) known.add(tag);
    else this.#tags.set(key, new Set([tag]));
  }

  #dropTags(key: string): void {
    if (this.#plan.keptTags.has(key)) return;
    this.#tagCount -= this.#tags.get(key)?.size ?? 0;
    this.#tags.set(key, undefined);
  }

  #count({ query, metric }: Series, i: number, event: LogEvent): void {
    if (this.#plan.rule.queries.length > 1 && !matches(query.node, event)) return;
    const [value] = valuesOf(metric, event);
    const number = typeof value === "number" ? value : typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
    if (Number.isFinite(number)) this.#join(i, query, number);
  }

  #join(i: number, { aggregation }: RuleQuery, number: number | undefined): void {
    if (number === undefined) return;
    const known = this.#sums[i];
    this.#sums[i] = known === undefined ? number : aggregation === "sum" ? known + number : Math.max(known, number);
  }

  #addFact(name: string, fact: { readonly [name: string]: Json }): void {
    const known = (this.#facts[name] as Json[] | undefined) ?? [];
    if (known.length < FACTS && !known.some((each) => JSON.stringify(each) === JSON.stringify(fact))) this.#facts[name] = [...known, fact as Json];
  }

  #shownFacts(): { readonly [name: string]: Json } {
    const { content_anomaly: contents, ...others } = this.#facts;
    return contents ? { ...others, content_anomaly: { values: contents } } : others;
  }

  #query(query: RuleQuery, queryIndex: number, events: number, isWhole: boolean): DocumentQuery {
    const fields = query.distinct.length ? query.distinct : query.aggregation === "new_value" ? query.metrics : [];
    const known = fields.length ? fields.map((field) => this.#valuesOf(field)) : [];
    const value = this.#value(query, queryIndex, events, isWhole, known);
    return {
      name: query.label, query: query.correlation ? `@workflow.rule.id:${query.correlation.ruleId}` : query.text, aggregation: query.aggregation,
      distinct_fields: query.distinct.map(fieldText), metrics: query.metrics.map(fieldText), group_by: query.groupByNames, events,
      distinct_values: [...new Set(known.flatMap((values) => values ?? []))], ...(value === undefined ? {} : { value }),
    };
  }

  #value({ aggregation }: RuleQuery, queryIndex: number, events: number, isWhole: boolean, distinct: ReadonlyArray<readonly string[] | undefined>): number | undefined {
    switch (aggregation) {
      case "count":
      case "event_count":
        return events;
      case "cardinality":
        return isWhole && distinct.length === 1 ? distinct[0]?.length : undefined;
      case "sum":
      case "max":
        return isWhole ? this.#sums[this.#plan.series.findIndex((series) => series.queryIndex === queryIndex)] : undefined;
      default:
        return undefined;
    }
  }

  /** Of all events of the signal; undefined where not all are known. */
  #valuesOf(field: Field): string[] | undefined {
    switch (field.kind) {
      case "attribute":
        return this.#paths.at(field.path)?.map(String);
      case "reserved":
        return field.name === "host" || field.name === "service" || field.name === "source" ? [...this.#names[field.name]] : undefined;
      case "tag": {
        const tags = this.#tags.get(field.key);
        return tags || !this.#tags.has(field.key) ? [...(tags ?? [])].map((tag) => tag.slice(field.key.length + 1)) : undefined;
      }
      default:
        return undefined;
    }
  }
}

function contentFields(rule: Rule): Array<{ readonly name: string; readonly field: Field }> {
  const fields = rule.queries.flatMap(({ metrics }) => metrics.map((field) => ({ name: fieldText(field), field })));
  return fields.length ? fields : [{ name: "message", field: { kind: "reserved", name: "message" } }];
}

function deprecation({ wire }: Rule): { readonly deprecated_at?: number } {
  return typeof wire.deprecationDate === "number" && wire.deprecationDate > 0 ? { deprecated_at: wire.deprecationDate } : {};
}

function cut(value: string | number | boolean): string {
  const text = String(value);
  return text.length > FACT_UNITS ? text.slice(0, FACT_UNITS) : text;
}
