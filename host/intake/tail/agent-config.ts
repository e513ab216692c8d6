import { type Dirent, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import type { Problem } from "../../problem.ts";
import type { LineListenerOptions } from "../lines.ts";
import { readLogEntry } from "./log-entry.ts";
import type { TailSource } from "./source.ts";

/** A switch of Datadog's Agent as it was found, and what it does here. */
export interface AgentSwitch {
  readonly file: string;
  /** Dotted, as in the Agent's documentation. */
  readonly key: string;
  readonly value: unknown;
  readonly effect: "taken" | "unsupported";
  /** What it does, or why it does nothing. */
  readonly note: string;
}

/** Which events of a host's own doing are asked for. */
export interface WorkloadSwitches {
  readonly processes: boolean;
  readonly files: boolean;
  readonly network: boolean;
}

/** What the files of a Datadog Agent say, as far as it means something here. */
export interface AgentConfig {
  readonly apiKey?: string;
  readonly site?: string;
  readonly hostname?: string;
  /** The Agent's own tags, `env` among them; every source of its has them already. */
  readonly tags: readonly string[];
  /** Off: the entries of `conf.d` were read, and are not followed. */
  readonly logsEnabled: boolean;
  readonly workload: WorkloadSwitches;
  /** Is this host to be looked at by checks? */
  readonly hostBenchmarks: boolean;
  readonly switches: readonly AgentSwitch[];
  readonly sources: readonly TailSource[];
  /** Entries that listen (`type: tcp` and `udp`), without an address of their own. */
  readonly listeners: readonly (Pick<LineListenerOptions, "protocol" | "port" | "defaults" | "name">)[];
  readonly problems: readonly Problem[];
}

export type Wire = Readonly<Record<string, unknown>>;

type Reading = {
  apiKey?: string;
  site?: string;
  hostname?: string;
  tags: string[];
  logsEnabled: boolean;
  securityEnabled: boolean;
  files: boolean;
  network: boolean;
  compliance: boolean;
  benchmarks: boolean;
};

type Effect = (value: unknown, reading: Reading) => string | undefined;

const on = (value: unknown): boolean => value === true || value === "true";
const text = (value: unknown): string | undefined => (typeof value === "string" || typeof value === "number" ? String(value) : undefined);
const state = (value: unknown): string => (on(value) ? "on" : "off");

/** Keys that do something here: each takes its value and says what it did. */
const taken: Readonly<Record<string, Effect>> = {
  api_key: (value, reading) => ((reading.apiKey = text(value)) === undefined ? undefined : "the key logs are sent with"),
  site: (value, reading) => ((reading.site = text(value)) === undefined ? undefined : "named in links; logs stay here"),
  hostname: (value, reading) => ((reading.hostname = text(value)) === undefined ? undefined : "host of events that name none"),
  env: (value, reading) => {
    if (text(value) === undefined) return undefined;
    reading.tags.push(`env:${text(value)}`);
    return "tag of every event";
  },
  tags: (value, reading) => {
    const tags = readTagList(value);
    if (!tags) return undefined;
    reading.tags.push(...tags);
    return "tags of every event";
  },
  logs_enabled: (value, reading) => {
    reading.logsEnabled = on(value);
    return on(value) ? "entries of conf.d are followed" : "no entry of conf.d is followed";
  },
  "runtime_security_config.enabled": (value, reading) => {
    reading.securityEnabled = on(value);
    return `process events of workload protection are ${state(value)}`;
  },
  "runtime_security_config.fim_enabled": (value, reading) => {
    reading.files = on(value);
    return `file events of workload protection are ${state(value)}`;
  },
  "runtime_security_config.network_enabled": (value, reading) => {
    reading.network = on(value);
    return `network events of workload protection are ${state(value)}`;
  },
  "compliance_config.enabled": (value, reading) => {
    reading.compliance = on(value);
    return `findings of how this host is set up are ${state(value)}`;
  },
  "compliance_config.host_benchmarks.enabled": (value, reading) => {
    reading.benchmarks = on(value);
    return `checks of this host are ${state(value)}`;
  },
};
/** Keys known, whose doing is the Agent's alone. */
const unsupported: Readonly<Record<string, string>> = {
  "runtime_security_config.activity_dump.enabled": "process activity is not recorded here",
  "logs_config.container_collect_all": "containers are not asked for their logs; name their files",
};

/** Other names under which switches are found: the how-to's own nesting, and the Agent's older one. */
const aliases: Readonly<Record<string, string>> = {
  "host_benchmarks.enabled": "compliance_config.host_benchmarks.enabled",
  "activity_dump.enabled": "runtime_security_config.activity_dump.enabled",
  "runtime_security_config.fim.enabled": "runtime_security_config.fim_enabled",
  "runtime_security_config.network.enabled": "runtime_security_config.network_enabled",
  "event_monitoring_config.network.enabled": "runtime_security_config.network_enabled",
};

/**
 * Reads the configuration folder of a Datadog Agent: `datadog.yaml`, `system-probe.yaml`, `security-agent.yaml` and every
 * `conf.d/*.d/*.yaml`. What is wrong with one file or entry is reported and costs only that.
 *
 * @param folder such as `/etc/datadog-agent`.
 */
export function readAgentConfig(folder: string): AgentConfig {
  const problems: Problem[] = [];
  const switches: AgentSwitch[] = [];
  const reading: Reading = { tags: [], logsEnabled: false, securityEnabled: false, files: true, network: true, compliance: false, benchmarks: false };
  for (const name of ["datadog.yaml", "system-probe.yaml", "security-agent.yaml"]) {
    const file = join(folder, name);
    const wire = existsSync(file) ? readYaml(file, problems) : undefined;
    if (wire) readSwitches(wire, "", file, reading, switches, problems);
  }
  const sources: TailSource[] = [];
  const listeners: AgentConfig["listeners"][number][] = [];
  for (const file of confFiles(join(folder, "conf.d"))) {
    const wire = readYaml(file, problems);
    const { logs } = wire ?? {};
    if (logs === undefined || logs === null) continue;
    if (!Array.isArray(logs)) {
      problems.push({ code: "intake/agent-logs", message: "logs is a list of entries", hint: "begin each entry with `- type: file`", file, place: "logs" });
      continue;
    }
    logs.forEach((entry: unknown, i) => {
      const read = readLogEntry(entry, { file, place: `logs[${i}]`, tags: reading.tags, host: reading.hostname }, problems);
      if (read?.kind === "tail") sources.push(read.source);
      else if (read) listeners.push(read.listener);
    });
  }
  const { apiKey, site, hostname, tags, logsEnabled, securityEnabled, files, network, compliance, benchmarks } = reading;
  return {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(site === undefined ? {} : { site }),
    ...(hostname === undefined ? {} : { hostname }),
    tags, logsEnabled, switches, sources, listeners, problems,
    workload: { processes: securityEnabled, files: securityEnabled && files, network: securityEnabled && network },
    hostBenchmarks: compliance && benchmarks,
  };
}

const fileTypes: ReadonlySet<string> = new Set(["open", "chmod", "chown", "link", "mkdir", "rename", "rmdir", "unlink", "utimes", "removexattr", "setxattr", "chdir", "mount", "splice"]);
const networkTypes: ReadonlySet<string> = new Set(["dns", "connect", "bind", "accept", "imds", "packet", "network_flow_monitor", "setsockopt"]);

/** Is an event of workload protection, by its type (`exec`, `open`, `connect`, …), asked for? */
export function isWorkloadEventWanted(type: string, { processes, files, network }: WorkloadSwitches): boolean {
  if (fileTypes.has(type)) return files;
  return networkTypes.has(type) ? network : processes;
}

/** A list of tags, or text with commas or blanks between them; undefined when it is neither. */
export function readTagList(value: unknown): string[] | undefined {
  if (typeof value === "string") return value.split(/[\s,]+/).filter((tag) => tag !== "");
  if (!Array.isArray(value) || !value.every((tag) => text(tag) !== undefined)) return undefined;
  return value.map(String);
}

function readSwitches(wire: Wire, prefix: string, file: string, reading: Reading, switches: AgentSwitch[], problems: Problem[]): void {
  for (const [name, value] of Object.entries(wire)) {
    const written = `${prefix}${name}`;
    const key = Object.hasOwn(aliases, written) ? aliases[written]! : written;
    // A key is nobody's business but the sender's.
    const shown = key === "api_key" ? "***" : value;
    if (Object.hasOwn(taken, key)) {
      const note = taken[key]!(value, reading);
      if (note !== undefined) switches.push({ file, key, value: shown, effect: "taken", note });
      else problems.push({ code: "intake/agent-value", message: `${key} has a value that is not understood`, hint: "write it as in the Agent's documentation", file, place: key, level: "warning" });
    } else if (Object.hasOwn(unsupported, key)) switches.push({ file, key, value, effect: "unsupported", note: unsupported[key]! });
    else if (isWire(value)) readSwitches(value, `${written}.`, file, reading, switches, problems);
    else switches.push({ file, key: written, value, effect: "unsupported", note: "not known here" });
  }
}

export function isWire(value: unknown): value is Wire {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every configuration of `conf.d`, in the order of the names. */
function confFiles(folder: string): string[] {
  const isYaml = (entry: Dirent): boolean => entry.isFile() && /\.ya?ml$/.test(entry.name);
  return entriesOf(folder).flatMap((entry) => {
    if (isYaml(entry)) return [join(folder, entry.name)];
    if (!entry.name.endsWith(".d")) return [];
    return entriesOf(join(folder, entry.name)).filter(isYaml).map(({ name }) => join(folder, entry.name, name));
  });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function readYaml(file: string, problems: Problem[]): Wire | undefined {
  const fault = (message: string, line?: number): undefined => void problems.push({ code: "intake/agent-yaml", message, hint: "mend the file; the others are read all the same", file, ...(line === undefined ? {} : { line }) });
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    return fault(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  const [error] = document.errors;
  if (error) return fault(error.message.split("\n", 1)[0]!, lines.linePos(error.pos[0]).line);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    return fault((cause as Error).message);
  }
  if (value === null) return {};
  return isWire(value) ? value : fault("is no mapping of keys to values");
}
