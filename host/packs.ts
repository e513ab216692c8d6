import { existsSync, readFileSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Pack, readPack } from "./event/pipeline/packs.ts";
import type { Pipeline } from "./event/pipeline/pipeline.ts";
import { type Problem, ProblemError } from "./problem.ts";

export interface LoadedPack extends Pack {
  readonly folder: string;
  /** Rule files, as whole paths. */
  readonly ruleFiles: readonly string[];
}

/** The folder of the packs that come along, beside host/ or beside dist/. */
export function contentFolder(): string {
  const places = ["../content/", "../../content/"].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return places.find((place) => existsSync(place)) ?? places[0]!;
}

/** Packs as they were read when the host was built: reading YAML and grok costs more than a small run. */
function builtPacks(): LoadedPack[] | undefined {
  const file = fileURLToPath(new URL("../packs.json", import.meta.url));
  if (!existsSync(file)) return undefined;
  const packs = revived(JSON.parse(readFileSync(file, "utf8"))) as Pack[];
  return packs.map((pack) => placed(pack, join(contentFolder(), pack.name)));
}

/** The packs as text, for `builtPacks`. */
export function packsText(packs: readonly LoadedPack[]): string {
  return JSON.stringify(packs, (_name, value: unknown) => (value instanceof Map ? { $map: [...value] } : value));
}

/** With its maps again: `JSON.parse` with a function takes several times as long. */
function revived(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isWrittenMap(value)) return new Map(value.$map.map(([key, each]) => [key, revived(each)]));
  const members = value as Record<string, unknown>;
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (typeof member === "object" && member !== null) members[name] = revived(member);
  }
  return members;
}

function isWrittenMap(value: unknown): value is { $map: Array<[unknown, unknown]> } {
  return typeof value === "object" && value !== null && "$map" in value && Array.isArray(value.$map);
}

function placed(pack: Pack, folder: string): LoadedPack {
  return { ...pack, folder, ruleFiles: pack.rules.map((path) => join(folder, path)) };
}

/** Every pack that comes along, by name. */
export async function loadPacks(): Promise<LoadedPack[]> {
  return builtPacks() ?? (await readPacks(contentFolder()));
}

/** Every pack of a content folder, by name. A folder without manifest.yaml is none. */
export async function readPacks(folder: string): Promise<LoadedPack[]> {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
  const packs = await Promise.all(names.map((name) => loadPack(join(folder, name))));
  return packs.filter((pack) => pack !== undefined);
}

async function loadPack(folder: string): Promise<LoadedPack | undefined> {
  const manifestFile = join(folder, "manifest.yaml");
  if (!existsSync(manifestFile)) return undefined;
  const texts = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(?:ya?ml|json|md)$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    texts.set(file, await readFile(file, "utf8"));
  }
  const pack = readPack(texts.get(manifestFile)!, manifestFile, (path) => texts.get(join(folder, path)));
  return placed(pack, folder);
}

/** Pipelines of the packs named, or of all that come along, in the order of the names. */
export async function packPipelines(names?: readonly string[]): Promise<Pipeline[]> {
  const packs = await loadPacks();
  const problems: Problem[] = [];
  const wanted = (names ?? packs.map((pack) => pack.name)).flatMap((name) => {
    const pack = packs.find((each) => each.name === name);
    if (!pack) problems.push({ code: "pack/unknown", message: `there is no pack ${name}`, hint: `use one of ${packs.map((each) => each.name).join(" ")}` });
    return pack ? [pack] : [];
  });
  problems.push(...wanted.flatMap((pack) => pack.problems.filter((problem) => problem.level !== "warning")));
  if (problems.length) throw new ProblemError(problems);
  return wanted.flatMap((pack) => pack.pipelines);
}
