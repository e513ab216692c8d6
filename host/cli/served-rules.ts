import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../atomic-file.ts";
import { checkReferenceTables } from "../rule/reference-table.ts";
import { standingQueries } from "../rule/standing.ts";
import { unprovedRules } from "../serve/canary.ts";
import type { ServeConfig } from "../serve/config.ts";
import type { FoundRules, RuleSource } from "../serve/server.ts";
import { loadRuleFiles, readText, ruleFiles } from "./load-rules.ts";
import { choosePipelines } from "./pipelines.ts";
import { UsageError } from "./problems.ts";
import { Settings } from "./settings.ts";

const GOOD_FILE = "rules.good.json";
const FORM = 1;

/** Documents that rules, pipelines and what stands beside them are made of. */
interface Documents {
  readonly rules: readonly string[];
  readonly pipelines: readonly string[];
  readonly settings: readonly string[];
  readonly pack: string;
  text(file: string): string;
}

/** The last good set as it lies in the data folder. */
interface Kept {
  readonly form: number;
  readonly kept_at: string;
  readonly pack: string;
  readonly rules: readonly string[];
  readonly pipelines: readonly string[];
  readonly settings: readonly string[];
  /** By file. */
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * Rules, pipelines and what stands beside them, as the settings name them; read anew at each change. The last set that was good is
 * kept in the data folder, so that a fault in a file does not keep a restarted server from judging.
 */
export class ServedRules implements RuleSource {
  readonly #config: ServeConfig;
  readonly #path: string;
  /** What was read last, if it was good. */
  #read: Omit<Kept, "kept_at"> | undefined;
  #kept = "";

  constructor(config: ServeConfig) {
    this.#config = config;
    this.#path = join(config.data, GOOD_FILE);
  }

  files(): string[] {
    const { rules, pipelines, settings } = this.#config;
    return [...ruleFiles(rules), ...pipelines, ...settings];
  }

  async load(): Promise<FoundRules> {
    this.#read = undefined;
    const { pipelines, settings, pack } = this.#config;
    const texts: Record<string, string> = {};
    const found = await this.#found(() => ({ rules: ruleFiles(this.#config.rules), pipelines, settings, pack, text: (file) => (texts[file] = readText(file)) }));
    if (found.setup) this.#read = { form: FORM, pack, rules: ruleFiles(this.#config.rules), pipelines, settings, texts };
    return found;
  }

  /** What `load` gave last judges now: it is what a restart falls back on. */
  keep(nowMs: number): void {
    if (!this.#read) return;
    const text = JSON.stringify(this.#read);
    if (text === this.#kept) return;
    this.#kept = text;
    writeAtomically(this.#path, Buffer.from(`${JSON.stringify({ ...this.#read, kept_at: new Date(nowMs).toISOString() } satisfies Kept)}\n`));
  }

  /** The set that judged before the files had errors, and when it began to; undefined where there is none that can be used. */
  async lastGood(): Promise<{ readonly found: FoundRules; readonly keptAt: string } | undefined> {
    const kept = readKept(this.#path);
    if (!kept) return undefined;
    const found = await this.#found(() => ({ ...kept, text: (file) => kept.texts[file] ?? "" }));
    return found.setup ? { found, keptAt: kept.kept_at } : undefined;
  }

  async #found(documents: () => Documents): Promise<FoundRules> {
    try {
      return await this.#made(documents());
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return { setup: undefined, problems: [{ code: "serve/no-rules", message: error.message, hint: "name another place in the settings, or put there what they name" }], unproved: [] };
    }
  }

  async #made({ rules, pipelines, settings: files, pack, text }: Documents): Promise<FoundRules> {
    const loaded = loadRuleFiles(rules, text);
    const settings = new Settings({ settings: files }, text);
    const problems = [...loaded.problems, ...settings.problems, ...checkReferenceTables(loaded.rules, settings.referenceTables)];
    if (problems.some(({ level }) => level !== "warning")) return { setup: undefined, problems, unproved: [] };
    const { all } = await choosePipelines({ pipelines, pack: pack === "auto" ? ["all"] : [pack], isLocatedElsewhere: this.#config.geoipFiles.length > 0 }, standingQueries(loaded.rules), text);
    const { stateBytes, latenessSeconds, deduplicate } = this.#config;
    const setup = {
      rules: loaded.rules, pipelines: all, suppressions: settings.suppressions, securityFilters: settings.securityFilters, criticalAssets: settings.criticalAssets,
      referenceTables: settings.referenceTables, stateBytes, allowedLatenessSeconds: latenessSeconds, deduplicate,
    };
    return { setup, problems, unproved: await unprovedRules(loaded.rules) };
  }
}

/** Undefined where there is none, or none of this program's: it is a help, and no reason to stop. */
function readKept(path: string): Kept | undefined {
  try {
    const kept = JSON.parse(readFileSync(path, "utf8")) as Kept;
    return kept.form === FORM ? kept : undefined;
  } catch {
    return undefined;
  }
}
