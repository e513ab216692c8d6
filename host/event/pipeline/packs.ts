import { createRequire } from "node:module";
import type * as Yaml from "yaml";
import type { Problem } from "../../problem.ts";
import { readPipelines } from "./document.ts";
import { isMembers } from "./members.ts";
import type { Pipeline } from "./pipeline.ts";

/** What packs watch (platform spec 18.2); where no pack of one is enabled, nobody watches it. */
export const packCategories = [
  "Cloud audit", "Identity/authentication", "Network", "DNS", "Endpoint/host", "Containers/Kubernetes", "SaaS/collaboration", "Source code", "Web/WAF", "Threat intel", "Audit trail",
] as const;
export type PackCategory = (typeof packCategories)[number];

/** From where on a pack's logs are not as they should be. */
export interface PackHealth {
  /** Paths without `@`: a log of which pipelines made none of these was not understood. Empty: one whose attributes they left as they were. */
  readonly attributes: ReadonlyArray<readonly string[]>;
  /** Percent of logs that were not understood: beyond the first it is worth a warning, beyond the second the pack is broken. */
  readonly parseFailures: { readonly warning: number; readonly broken: number };
  /** Hours without a log. */
  readonly quietHours: { readonly warning: number; readonly broken: number };
}

export const defaultHealth: PackHealth = { attributes: [], parseFailures: { warning: 5, broken: 50 }, quietHours: { warning: 24, broken: 72 } };

export interface PackChange {
  readonly version: string;
  readonly changes: readonly string[];
}

/** Rules, pipelines and tests of one source, as content/<name>/ holds them. `host/packs.ts` reads the folders. */
export interface Pack {
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly description: string;
  readonly category: PackCategory | undefined;
  /** File that says how logs are sent and what that needs, below the pack's folder. */
  readonly guide: string | undefined;
  readonly health: PackHealth;
  /** Datadog integrations whose logs these are. */
  readonly integrations: readonly string[];
  /** Newest first. */
  readonly changelog: readonly PackChange[];
  /** Values of `source` its pipelines read. */
  readonly sources: readonly string[];
  /** How files of the source are read when nothing else is said. */
  readonly format: string | undefined;
  readonly pipelines: readonly Pipeline[];
  /** Rule files, below the pack's folder. */
  readonly rules: readonly string[];
  /** Of the manifest and the pipelines; rules are read, and judged, elsewhere. */
  readonly problems: readonly Problem[];
}

const members = ["name", "version", "title", "description", "category", "guide", "health", "integrations", "changelog", "sources", "format", "pipelines", "rules"];
const optional: ReadonlySet<string> = new Set(["description", "format", "guide"]);

/** A pack of its manifest's text; `readFile` gives the text of a file below the pack's folder, undefined when there is none. */
export function readPack(manifest: string, file: string, readFile: (path: string) => string | undefined): Pack {
  const problems: Problem[] = [];
  const refuse = (message: string, hint: string, level?: "warning"): void => void problems.push({ code: "pack/manifest", message, hint, file, line: 1, ...(level ? { level } : {}) });
  const wire = readYaml(manifest, refuse);
  const text = (name: string): string => {
    const value = wire[name];
    if (typeof value === "string" || typeof value === "number") return String(value);
    if (!optional.has(name)) refuse(`${name} is missing`, `write ${name}:`);
    return "";
  };
  const texts = (name: string): string[] => {
    const value = wire[name] ?? [];
    if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
    refuse(`${name} is no list of texts`, "write a list");
    return [];
  };
  for (const name of Object.keys(wire)) if (!members.includes(name)) refuse(`${name} is not known here and does nothing`, `take it out, or use one of ${members.join(" ")}`, "warning");
  const pipelines: Pipeline[] = [];
  for (const path of texts("pipelines")) {
    const content = readFile(path);
    if (content === undefined) {
      refuse(`there is no ${path}`, "name files below the pack's folder");
      continue;
    }
    const read = readPipelines(content, file.replace(/[^/\\]*$/, path));
    pipelines.push(...read.pipelines);
    problems.push(...read.problems);
  }
  const guide = text("guide");
  if (guide !== "" && readFile(guide) === undefined) refuse(`there is no ${guide}`, "name files below the pack's folder");
  return {
    name: text("name"), version: text("version"), title: text("title"), description: text("description"), format: text("format") || undefined,
    category: categoryOf(wire.category, refuse), guide: guide || (readFile(GUIDE) === undefined ? undefined : GUIDE), health: healthOf(wire.health, refuse), integrations: texts("integrations"), changelog: changelogOf(wire.changelog, refuse),
    sources: texts("sources"), pipelines, rules: texts("rules"), problems,
  };
}

const GUIDE = "guide.md";

type Refuse = (message: string, hint: string) => void;

/** By name, or its beginning: `Web` is `Web/WAF`. */
function categoryOf(wire: unknown, refuse: Refuse): PackCategory | undefined {
  if (wire === undefined) return undefined;
  const asked = String(wire).toLowerCase();
  const found = packCategories.find((each) => each.toLowerCase() === asked || each.toLowerCase().split("/").includes(asked));
  if (!found) refuse(`category ${String(wire)} is none`, `use one of ${packCategories.join(", ")}`);
  return found;
}

function healthOf(wire: unknown, refuse: Refuse): PackHealth {
  if (wire === undefined) return defaultHealth;
  if (!isMembers(wire)) {
    refuse("health is no object", "write health: { attributes: [\"@evt.name\"] }");
    return defaultHealth;
  }
  for (const name of Object.keys(wire)) if (!["attributes", "parse_failures", "quiet_hours"].includes(name)) refuse(`health.${name} is not known here and does nothing`, "take it out, or use attributes, parse_failures or quiet_hours");
  const { attributes = [] } = wire;
  const paths = Array.isArray(attributes) ? attributes.filter((each): each is string => typeof each === "string" && /^@?[^\s@.][^\s@]*$/.test(each)) : [];
  if (!Array.isArray(attributes) || paths.length < attributes.length) refuse("health.attributes is no list of attributes", "write them as @evt.name");
  return {
    attributes: paths.map((path) => path.replace(/^@/, "").split(".")),
    parseFailures: bordersOf(wire, "parse_failures", 100, defaultHealth.parseFailures, refuse), quietHours: bordersOf(wire, "quiet_hours", 24 * 365, defaultHealth.quietHours, refuse),
  };
}

function bordersOf(wire: { readonly [name: string]: unknown }, name: string, most: number, otherwise: PackHealth["quietHours"], refuse: Refuse): PackHealth["quietHours"] {
  const given = wire[name];
  if (given === undefined) return otherwise;
  const { warning = otherwise.warning, broken = otherwise.broken } = isMembers(given) ? given : { warning: Number.NaN };
  if (typeof warning === "number" && typeof broken === "number" && warning >= 0 && warning <= broken && broken <= most) return { warning, broken };
  refuse(`health.${name} is no pair of borders`, `write { warning: ${otherwise.warning}, broken: ${otherwise.broken} }, the first not above the second, which is ${most} at most`);
  return otherwise;
}

function changelogOf(wire: unknown, refuse: Refuse): PackChange[] {
  if (wire === undefined) return [];
  const list = Array.isArray(wire) ? wire : [];
  const read = list.flatMap((each: unknown): PackChange[] => {
    if (!isMembers(each) || typeof each.version !== "string" || !Array.isArray(each.changes) || !each.changes.every((one) => typeof one === "string")) return [];
    return [{ version: each.version, changes: each.changes }];
  });
  if (!Array.isArray(wire) || read.length < list.length) refuse("changelog is no list of versions", "write - { version: 1.1.0, changes: [what changed for users] }");
  return read;
}

function readYaml(text: string, refuse: (message: string, hint: string) => void): { readonly [name: string]: unknown } {
  const yaml = createRequire(import.meta.url)("yaml") as typeof Yaml;
  try {
    const value: unknown = yaml.parse(text, { maxAliasCount: 10 });
    if (isMembers(value)) return value;
    refuse("the manifest is no object", "write name, version, title, sources, pipelines and rules");
  } catch (error) {
    refuse((error as Error).message.split("\n")[0]!, "mend the YAML");
  }
  return {};
}
