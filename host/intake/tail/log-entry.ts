import { isAbsolute } from "node:path";
import type { InputProfile } from "../../engine/task.ts";
import type { Problem } from "../../problem.ts";
import type { LineListenerOptions } from "../lines.ts";
import { isWire, readTagList, type Wire } from "./agent-config.ts";
import { type LineRule, readLineRule } from "./rules.ts";
import type { StartPosition, TailSource, WindowsFilter } from "./source.ts";

export interface EntryContext {
  readonly file: string;
  readonly place: string;
  /** The Agent's own. */
  readonly tags: readonly string[];
  readonly host: string | undefined;
}

type Entry =
  | { readonly kind: "tail"; readonly source: TailSource }
  | { readonly kind: "listener"; readonly listener: Pick<LineListenerOptions, "protocol" | "port" | "defaults" | "name"> };

const known: ReadonlySet<string> = new Set(["type", "path", "port", "source", "sourcecategory", "service", "tags", "start_position", "exclude_paths", "encoding", "log_processing_rules", "channel_path", "filters", "format", "name"]);
/** Sources whose files are syslog, whatever their first line happens to be. */
const syslogSources: ReadonlySet<unknown> = new Set(["auth", "syslog", "linux-auth", "linux-syslog"]);
const startPositions: ReadonlySet<unknown> = new Set(["end", "beginning", "forceEnd", "forceBeginning"]);
const encodings: Readonly<Record<string, TailSource["encoding"]>> = { "utf-8": "utf-8", "utf-16-le": "utf-16-le" };

/** One entry of `logs:`. Undefined when nothing can come of it; why stands among the problems. */
export function readLogEntry(entry: unknown, { file, place, tags, host }: EntryContext, problems: Problem[]): Entry | undefined {
  const problem = (code: string, message: string, hint: string, key?: string, level?: "warning"): undefined =>
    void problems.push({ code: `intake/${code}`, message, hint, file, place: key === undefined ? place : `${place}.${key}`, ...(level ? { level } : {}) });
  if (!isWire(entry)) return problem("agent-entry", "an entry is a mapping", "write `- type: file` and its keys below it");
  for (const key of Object.keys(entry)) if (!known.has(key)) problem("agent-key", `${key} does nothing here`, "leave it out, or mind that it has no effect", key, "warning");

  const own = entry.tags === undefined ? [] : readTagList(entry.tags);
  if (!own) problem("agent-value", "tags are a list of key:value", "write `- env:prod` below it", "tags");
  const all = [...tags, ...(own ?? [])];
  if (typeof entry.sourcecategory === "string") all.push(`sourcecategory:${entry.sourcecategory}`);
  const defaults: Omit<InputProfile, "format"> = {
    ...(typeof entry.source === "string" ? { source: entry.source } : {}),
    ...(typeof entry.service === "string" ? { service: entry.service } : {}),
    ...(host === undefined ? {} : { host }),
    ...(all.length > 0 ? { tags: [...new Set(all)] } : {}),
  };

  if (entry.type === "tcp" || entry.type === "udp") {
    const port = Number(entry.port);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) return problem("agent-value", "port is a number between 1 and 65535", "name the port to listen on", "port");
    return { kind: "listener", listener: { protocol: entry.type, port, defaults, name: `agent:${entry.type}:${port}` } };
  }
  if (entry.type !== "file" && entry.type !== "windows_event") return problem("agent-type", `entries of type ${JSON.stringify(entry.type)} are not followed`, "file, windows_event, tcp and udp are");

  const { path } = entry;
  if (entry.type === "windows_event" && path === undefined) {
    return problem("agent-windows", `the channel ${JSON.stringify(entry.channel_path)} cannot be asked for its events`, "add `path:` with exports of it (XML or JSON), or point the Datadog Agent of that machine here");
  }
  if (typeof path !== "string" || !(isAbsolute(path) || /^[A-Za-z]:\\/.test(path))) return problem("agent-value", "path is the full path of a file, or a pattern of such", "begin it with the root of the file system", "path");
  const startPosition = entry.start_position ?? "end";
  if (!startPositions.has(startPosition)) return problem("agent-value", "start_position is end, beginning, forceEnd or forceBeginning", "leave it out for end", "start_position");
  const encoding = entry.encoding === undefined ? "utf-8" : encodings[String(entry.encoding)];
  if (!encoding) return problem("agent-value", `files in ${String(entry.encoding)} are not read`, "utf-8 and utf-16-le are", "encoding");

  const rules: LineRule[] = [];
  const wireRules: unknown = entry.log_processing_rules ?? [];
  if (!Array.isArray(wireRules)) return problem("agent-rule", "log_processing_rules is a list", "begin each with `- type: multi_line`", "log_processing_rules");
  for (const [i, wire] of wireRules.entries()) {
    try {
      rules.push(readLineRule(wire));
    } catch (error) {
      // A mask that is left out would let through what it was to hide.
      return problem("agent-rule", (error as Error).message, "patterns are RE2 patterns; the entry is not followed until they are", `log_processing_rules[${i}]`);
    }
  }
  const windows = entry.type === "windows_event" ? readFilter(entry, (message, key) => problem("agent-value", message, "filters are `id`, `source` with lists", key)) : undefined;
  const exclude = Array.isArray(entry.exclude_paths) ? entry.exclude_paths.filter((each): each is string => typeof each === "string") : [];
  return {
    kind: "tail",
    source: {
      path,
      startPosition: startPosition as StartPosition,
      defaults,
      encoding,
      ...(exclude.length > 0 ? { exclude } : {}),
      ...(rules.length > 0 ? { rules } : {}),
      ...(entry.format === "syslog" || entry.format === "text" ? { textFormat: entry.format } : syslogSources.has(entry.source) ? { textFormat: "syslog" } : {}),
      ...(windows ? { windows } : {}),
    },
  };
}

/** `filters:` as a list of mappings or one mapping; ids and providers of all are taken together. */
function readFilter(entry: Wire, problem: (message: string, key: string) => void): WindowsFilter {
  const wires: unknown[] = entry.filters === undefined || entry.filters === null ? [] : Array.isArray(entry.filters) ? entry.filters : [entry.filters];
  const ids: number[] = [];
  const providers: string[] = [];
  for (const [i, wire] of wires.entries()) {
    for (const [key, value] of Object.entries(isWire(wire) ? wire : {})) {
      const list: unknown[] = Array.isArray(value) ? value : [value];
      if (key === "id") {
        const wrong = list.find((id) => !Number.isInteger(Number(id)));
        if (wrong === undefined) ids.push(...list.map(Number));
        else problem(`${JSON.stringify(wrong)} is no event id`, `filters[${i}].id`);
      } else if (key === "source") providers.push(...list.map(String));
      else problem(`events cannot be filtered by ${key}`, `filters[${i}].${key}`);
    }
  }
  return {
    ...(typeof entry.channel_path === "string" ? { channel: entry.channel_path } : {}),
    ...(ids.length > 0 ? { ids } : {}),
    ...(providers.length > 0 ? { providers } : {}),
  };
}
