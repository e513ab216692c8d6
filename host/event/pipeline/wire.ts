import type { Problem } from "../../problem.ts";
import { parseQuery } from "../../query/parse.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { Json } from "../event.ts";
import { normalizeTag } from "../tags.ts";
import { readArithmetic } from "./arithmetic.ts";
import { matchGrok, readGrok } from "./grok.ts";
import { type Members, isMembers, memberOf } from "./members.ts";
import type { Pipeline, Place, Processor, TargetFormat } from "./pipeline.ts";
import { placeNamed } from "./place.ts";

export interface ReadPipeline {
  /** Undefined when there is an error. */
  readonly pipeline: Pipeline | undefined;
  readonly problems: readonly Problem[];
}

const NESTING_CAP = 8;
const PROCESSOR_CAP = 500;
const SAMPLE_CAP = 5;

/** A pipeline as Datadog's API writes it. A problem's `place` is the member, its `line` the line within that member's text. */
export function readPipeline(wire: unknown): ReadPipeline {
  const reader = new Reader();
  const pipeline = reader.pipeline(wire, "", 0);
  return { pipeline: reader.problems.some((problem) => problem.level !== "warning") ? undefined : pipeline, problems: reader.problems };
}

/** Members each kind of processor has, beside those all have. */
const kinds: Readonly<Record<Processor["kind"], readonly string[]>> = {
  "grok-parser": ["source", "samples", "grok"],
  "date-remapper": ["sources"],
  "status-remapper": ["sources"],
  "service-remapper": ["sources"],
  "message-remapper": ["sources"],
  "trace-id-remapper": ["sources"],
  "span-id-remapper": ["sources"],
  "attribute-remapper": ["sources", "source_type", "target", "target_type", "target_format", "preserve_source", "override_on_conflict"],
  "category-processor": ["categories", "target"],
  "lookup-processor": ["source", "target", "lookup_table", "default_lookup"],
  "string-builder-processor": ["template", "target", "is_replace_missing"],
  "arithmetic-processor": ["expression", "target", "is_replace_missing"],
  "url-parser": ["sources", "target", "normalize_ending_slashes"],
  "user-agent-parser": ["sources", "target", "is_encoded"],
  "geo-ip-parser": ["sources", "target"],
  pipeline: ["filter", "processors"],
};
const common = ["type", "name", "is_enabled", "id", "description", "tags"];
const envelope = [...common, "filter", "processors", "is_read_only"];

/** Kinds Datadog has and this engine has not: the pipeline works without them. */
const notOffered: Readonly<Record<string, string>> = {
  "user-agent-parser": "match on @http.useragent itself, with wildcards",
  "array-processor": "read what is needed with a grok-parser or attribute-remapper",
  "array-map-processor": "read what is needed with a grok-parser",
  "decoder-processor": "decode with the decodeuricomponent filter of a grok-parser, or before sending",
  "exclude-attribute-processor": "take it out",
  "schema-processor": "write attribute-remappers",
  "threat-intel-processor": "take it out",
};

class Reader {
  readonly problems: Problem[] = [];
  #processorCount = 0;

  pipeline(wire: unknown, place: string, depth: number): Pipeline | undefined {
    if (!isMembers(wire)) {
      this.#refuse("pipeline/not-a-pipeline", place, "this is no pipeline", "write an object with name, filter and processors");
      return undefined;
    }
    if (depth === 0) this.#unknown(wire, envelope, place);
    const name = this.#text(wire, "name", place, "") ?? "";
    if (depth === 0 && name === "") this.#refuse("pipeline/no-name", at(place, "name"), "the pipeline has no name", "give it one");
    const enabled = this.#flag(wire, "is_enabled", place, depth > 0);
    if (depth === 0 && wire.is_enabled === undefined) this.#refuse("pipeline/off", at(place, "is_enabled"), "the pipeline is off, since it does not say that it is on", "write is_enabled: true", "warning");
    const id = this.#text(wire, "id", place, "") || name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
    return { id, name, filter: this.#filter(wire.filter, at(place, "filter"), true), enabled, processors: this.#processors(wire.processors, at(place, "processors"), depth) };
  }

  #processors(wire: Json | undefined, place: string, depth: number): Processor[] {
    if (wire === undefined || wire === null) return [];
    if (!Array.isArray(wire)) {
      this.#refuse("pipeline/processors", place, "processors is no list", "write a list of processors, each with its type");
      return [];
    }
    const processors: Processor[] = [];
    wire.forEach((each, i) => {
      if (++this.#processorCount === PROCESSOR_CAP + 1) this.#refuse("pipeline/processors", place, `there are over ${PROCESSOR_CAP} processors`, "split the pipeline by its filter");
      if (this.#processorCount > PROCESSOR_CAP) return;
      const processor = this.#processor(each, `${place}[${i}]`, depth);
      if (processor) processors.push(processor);
    });
    return processors;
  }

  /** Undefined when it is off, not offered, or wrong. */
  #processor(wire: Json, place: string, depth: number): Processor | undefined {
    const type = isMembers(wire) ? wire.type : undefined;
    if (!isMembers(wire) || typeof type !== "string") {
      this.#refuse("pipeline/no-type", place, "the processor has no type", `write type: with one of ${Object.keys(kinds).join(" ")}`);
      return undefined;
    }
    if (Object.hasOwn(notOffered, type)) {
      this.#refuse("pipeline/not-offered", at(place, "type"), `${type} is not offered here, so the pipeline works without it`, notOffered[type]!, "warning");
      return undefined;
    }
    if (!Object.hasOwn(kinds, type)) {
      this.#refuse("pipeline/unknown-type", at(place, "type"), `there is no processor ${type}`, `use one of ${Object.keys(kinds).filter((kind) => !Object.hasOwn(notOffered, kind)).join(" ")}`);
      return undefined;
    }
    const kind = type as Processor["kind"];
    this.#unknown(wire, [...common, ...kinds[kind]], place);
    const processor = this.#ofKind(kind, wire, place, depth);
    return this.#flag(wire, "is_enabled", place, true) ? processor : undefined;
  }

  #ofKind(kind: Processor["kind"], wire: Members, place: string, depth: number): Processor | undefined {
    switch (kind) {
      case "pipeline": {
        if (depth >= NESTING_CAP) {
          this.#refuse("pipeline/processors", place, `pipelines are nested over ${NESTING_CAP} deep`, "join some of them");
          return undefined;
        }
        const pipeline = this.pipeline(wire, place, depth + 1);
        return pipeline && { kind, pipeline };
      }
      case "grok-parser":
        return this.#grok(wire, place);
      case "date-remapper": case "status-remapper": case "service-remapper":
        return { kind, sources: this.#sources(wire, place, undefined) };
      case "message-remapper":
        return { kind, sources: this.#sources(wire, place, ["msg"]) };
      case "trace-id-remapper":
        return { kind, sources: this.#sources(wire, place, ["dd.trace_id"]) };
      case "span-id-remapper":
        return { kind, sources: this.#sources(wire, place, ["dd.span_id"]) };
      case "attribute-remapper":
        return {
          kind,
          sources: this.#sources(wire, place, undefined, this.#oneOf(wire, "source_type", place, ["attribute", "tag"])),
          target: this.#target(wire, place, undefined, this.#oneOf(wire, "target_type", place, ["attribute", "tag"])),
          targetFormat: this.#oneOf(wire, "target_format", place, ["auto", "string", "integer", "double"]) as TargetFormat,
          preserveSource: this.#flag(wire, "preserve_source", place, false),
          overrideOnConflict: this.#flag(wire, "override_on_conflict", place, false),
        };
      case "category-processor":
        return { kind, categories: this.#categories(wire.categories, at(place, "categories")), target: this.#target(wire, place) };
      case "lookup-processor":
        return this.#lookup(wire, place);
      case "string-builder-processor": {
        const template = this.#text(wire, "template", place);
        return { kind, template: template ?? "", target: this.#target(wire, place), replaceMissing: this.#flag(wire, "is_replace_missing", place, false) };
      }
      case "arithmetic-processor": {
        const expression = this.#text(wire, "expression", place) ?? "";
        const read = expression === "" ? undefined : readArithmetic(expression);
        if (typeof read === "string") this.#refuse("pipeline/expression", at(place, "expression"), read, "use numbers, attributes, + - * / and parentheses, with blanks around -");
        return { kind, expression, target: this.#target(wire, place), replaceMissing: this.#flag(wire, "is_replace_missing", place, false) };
      }
      case "url-parser":
        return { kind, sources: this.#sources(wire, place, ["http.url"]), target: this.#target(wire, place, "http.url_details") };
      case "user-agent-parser":
        return { kind, sources: this.#sources(wire, place, ["http.useragent"]), target: this.#target(wire, place, "http.useragent_details"), encoded: this.#flag(wire, "is_encoded", place, false) };
      case "geo-ip-parser": {
        const target = this.#target(wire, place, "network.client.geoip");
        if (target.kind !== "attribute") this.#refuse("pipeline/place", at(place, "target"), "a place is no text, so a reserved attribute cannot hold it", "name an attribute, such as network.client.geoip");
        return { kind, sources: this.#sources(wire, place, ["network.client.ip"]), target };
      }
    }
  }

  #grok(wire: Members, place: string): Processor | undefined {
    const source = placeNamed(this.#text(wire, "source", place, "message") ?? "message");
    const grok = wire.grok;
    if (!isMembers(grok)) {
      this.#refuse("pipeline/grok", at(place, "grok"), "the grok-parser has no rules", "write grok: with match_rules, and support_rules if they use any");
      return undefined;
    }
    this.#unknown(grok, ["match_rules", "support_rules"], at(place, "grok"));
    const match = this.#text(grok, "match_rules", at(place, "grok")) ?? "";
    const read = readGrok(match, this.#text(grok, "support_rules", at(place, "grok"), "") ?? "");
    const samples = this.#texts(wire.samples, at(place, "samples"));
    if (samples.length > SAMPLE_CAP) this.#refuse("pipeline/samples", at(place, "samples"), `there are ${samples.length} samples`, `keep at most ${SAMPLE_CAP}`, "warning");
    if (!read.ok) {
      if (match !== "") for (const problem of read.problems) this.problems.push({ ...problem, place: at(place, problem.place!) });
      return undefined;
    }
    samples.forEach((sample, i) => {
      if (!matchGrok(read.rules, sample, 0)) this.#refuse("pipeline/sample", `${at(place, "samples")}[${i}]`, "no rule matches this sample", "mend the rule: a match takes the whole text", "warning");
    });
    return { kind: "grok-parser", source, rules: read.rules, samples };
  }

  #categories(wire: Json | undefined, place: string): Array<{ readonly filter: QueryNode; readonly name: string }> {
    if (!Array.isArray(wire) || !wire.length) {
      this.#refuse("pipeline/categories", place, "there are no categories", "write a list of {filter: {query: …}, name: …}");
      return [];
    }
    return wire.flatMap((each, i) => {
      const here = `${place}[${i}]`;
      if (!isMembers(each)) {
        this.#refuse("pipeline/categories", here, "this is no category", "write {filter: {query: …}, name: …}");
        return [];
      }
      this.#unknown(each, ["filter", "name"], here);
      return [{ filter: this.#filter(each.filter, at(here, "filter"), false), name: this.#text(each, "name", here) ?? "" }];
    });
  }

  #lookup(wire: Members, place: string): Processor | undefined {
    if (wire.lookup_enrichment_table !== undefined) {
      this.#refuse("pipeline/not-offered", at(place, "lookup_enrichment_table"), "a lookup in a reference table is not offered here", "write the table out as lookup_table", "warning");
      return undefined;
    }
    const table = new Map<string, string>();
    const entries = this.#texts(wire.lookup_table, at(place, "lookup_table"));
    if (!entries.length) this.#refuse("pipeline/lookup", at(place, "lookup_table"), "the table is empty", 'write a list of "key,value"');
    entries.forEach((entry, i) => {
      const comma = entry.indexOf(",");
      if (comma < 1) this.#refuse("pipeline/lookup", `${at(place, "lookup_table")}[${i}]`, `${JSON.stringify(entry)} has no key and value`, 'write "key,value"');
      else if (!table.has(entry.slice(0, comma).trim())) table.set(entry.slice(0, comma).trim(), entry.slice(comma + 1).trim());
    });
    const fallback = this.#text(wire, "default_lookup", place, "");
    return { kind: "lookup-processor", source: placeNamed(this.#text(wire, "source", place) ?? ""), target: this.#target(wire, place), table, fallback: fallback === "" ? undefined : fallback };
  }

  #filter(wire: Json | undefined, place: string, mayLack: boolean): QueryNode {
    const all: QueryNode = { kind: "all", span: { start: 0, end: 0 } };
    if (wire === undefined && mayLack) return all;
    const query = isMembers(wire) ? wire.query : undefined;
    if (typeof query !== "string") {
      this.#refuse("pipeline/filter", place, "there is no filter", 'write filter: {query: "source:…"}; an empty query takes every event');
      return all;
    }
    const parsed = parseQuery(query);
    if (parsed.ok) return parsed.node;
    for (const problem of parsed.problems) this.problems.push({ ...problem, place: at(place, "query") });
    return all;
  }

  #sources(wire: Members, place: string, otherwise: readonly string[] | undefined, type = "attribute"): Place[] {
    const names = wire.sources === undefined && otherwise ? otherwise : this.#texts(wire.sources, at(place, "sources"));
    if (!names.length) this.#refuse("pipeline/sources", at(place, "sources"), "the processor has no sources", "write a list of attributes; the first that has a value is used");
    return names.map((name, i) => this.#place(name, type, `${at(place, "sources")}[${i}]`));
  }

  #target(wire: Members, place: string, otherwise?: string, type = "attribute"): Place {
    return this.#place(this.#text(wire, "target", place, otherwise) ?? "target", type, at(place, "target"));
  }

  #place(name: string, type: string, place: string): Place {
    if (type === "tag") {
      const key = normalizeTag(name);
      if (key === undefined || /[:,]/.test(name)) this.#refuse("pipeline/place", place, `${JSON.stringify(name)} is no tag key`, "begin it with a letter, without : and ,");
      return { kind: "tag", key: key ?? "" };
    }
    if (/[:,\s]/.test(name) || name.startsWith("@") || name.split(".").some((segment) => segment === "")) {
      this.#refuse("pipeline/place", place, `${JSON.stringify(name)} is no attribute`, "write its path with single dots, without @ : , and blanks, as in network.client.ip");
    }
    return placeNamed(name);
  }

  #oneOf(wire: Members, name: string, place: string, allowed: readonly string[]): string {
    const value = this.#text(wire, name, place, allowed[0]) ?? allowed[0]!;
    if (allowed.includes(value)) return value;
    this.#refuse("pipeline/member", at(place, name), `${name} is ${JSON.stringify(value)}`, `use one of ${allowed.join(" ")}`);
    return allowed[0]!;
  }

  #flag(wire: Members, name: string, place: string, otherwise: boolean): boolean {
    const value = memberOf(wire, name);
    if (value === undefined || value === null) return otherwise;
    if (typeof value !== "boolean") this.#refuse("pipeline/member", at(place, name), `${name} is neither true nor false`, "write true or false");
    return value === true;
  }

  /** Without `otherwise` the member must be there. */
  #text(wire: Members, name: string, place: string, otherwise?: string): string | undefined {
    const value = memberOf(wire, name);
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    if (value !== undefined && value !== null) this.#refuse("pipeline/member", at(place, name), `${name} is no text`, "write a text");
    else if (otherwise === undefined) this.#refuse("pipeline/member", at(place, name), `${name} is missing`, `write ${name}:`);
    return otherwise;
  }

  #texts(value: Json | undefined, place: string): string[] {
    if (value === undefined || value === null) return [];
    const list = Array.isArray(value) ? value : [value];
    if (!list.every((each) => typeof each === "string" || typeof each === "number" || typeof each === "boolean")) this.#refuse("pipeline/member", place, "this is no list of texts", "write a list of texts");
    return list.filter((each) => typeof each !== "object").map(String);
  }

  #unknown(wire: Members, known: readonly string[], place: string): void {
    for (const name of Object.keys(wire)) {
      if (!known.includes(name)) this.#refuse("pipeline/unknown-member", at(place, name), `${name} is not known here and does nothing`, `take it out, or use one of ${known.join(" ")}`, "warning");
    }
  }

  #refuse(code: string, place: string, message: string, hint: string, level?: "warning"): void {
    this.problems.push({ code, place, message, hint, ...(level ? { level } : {}) });
  }
}

function at(place: string, member: string): string {
  return place === "" ? member : `${place}.${member}`;
}
