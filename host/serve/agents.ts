import { existsSync } from "node:fs";
import { type AgentConfig, readAgentConfig } from "../intake/tail/agent-config.ts";
import type { TailSource } from "../intake/tail/source.ts";
import type { Problem } from "../problem.ts";

/** What the folders of Datadog Agents ask for, taken together. */
export interface AgentInputs {
  readonly sources: readonly TailSource[];
  readonly listeners: AgentConfig["listeners"];
  /** Their `api_key`s: an Agent that is set up with the same file gets in. */
  readonly keys: readonly string[];
  /** This host is to be looked at by checks, under the name that stands there. */
  readonly benchmarks: { readonly hostname: string | undefined } | undefined;
  /** Each costs what it is about, and nothing else. */
  readonly problems: readonly Problem[];
}

/** An Agent's key as Datadog makes them, or one made here; not the words that stand in for one in examples. */
const KEY = /^[\w-]{16,4096}$/;

/** Reads `datadog.yaml` and `conf.d` of each folder. */
export function readAgents(folders: readonly string[]): AgentInputs {
  const sources: TailSource[] = [];
  const listeners: AgentConfig["listeners"][number][] = [];
  const keys: string[] = [];
  const problems: Problem[] = [];
  let benchmarks: AgentInputs["benchmarks"];
  for (const folder of folders) {
    if (!existsSync(folder)) {
      problems.push({ code: "serve/no-agent-folder", message: "there is no such folder", hint: "name the one that holds datadog.yaml and conf.d, such as /etc/datadog-agent", file: folder, level: "warning" });
      continue;
    }
    const config = readAgentConfig(folder);
    problems.push(...config.problems);
    if (config.hostBenchmarks) benchmarks ??= { hostname: config.hostname };
    if (config.apiKey !== undefined && KEY.test(config.apiKey)) keys.push(config.apiKey);
    else if (config.apiKey !== undefined) problems.push({ code: "serve/no-agent-key", message: "api_key is none", hint: "make one with vespid keys create, and put it there", file: folder, place: "api_key", level: "warning" });
    if (config.logsEnabled) {
      sources.push(...config.sources);
      listeners.push(...config.listeners);
    } else if (config.sources.length + config.listeners.length > 0) {
      problems.push({ code: "serve/logs-disabled", message: "logs_enabled is off, so no entry of conf.d is followed", hint: "write logs_enabled: true in datadog.yaml", file: folder, level: "warning" });
    }
  }
  return { sources, listeners, keys, benchmarks, problems };
}
