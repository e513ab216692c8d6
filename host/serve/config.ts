import { isAbsolute, join } from "node:path";
import { type IntakeLimits, defaultLimits } from "../intake/limits.ts";
import type { FeedSetting } from "../enrich/intel-feeds.ts";
import type { Problem } from "../problem.ts";
import { documentItems } from "../rule/document-items.ts";
import { readExclusions } from "../search/exclusions.ts";
import { ConfigReader } from "./config-reader.ts";
import { geoipFilesOf } from "./geoip-config.ts";
import { intelOf } from "./intel-config.ts";
import { type OidcConfig, oidcOf } from "./oidc-config.ts";

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface LineInputConfig {
  readonly protocol: "udp" | "tcp" | "tls";
  readonly host: string;
  readonly port: number;
  readonly source?: string;
  readonly service?: string;
  readonly tags: readonly string[];
  /** False lets network gear in that cannot send a key. */
  readonly needsKey: boolean;
}

export interface ServeConfig {
  readonly data: string;
  readonly rules: readonly string[];
  /** No start with rules that have an error; else those that were good before go on. */
  readonly strictRules: boolean;
  readonly pack: string;
  readonly pipelines: readonly string[];
  readonly settings: readonly string[];
  /** Feeds of threat intelligence. */
  readonly intelFeeds: readonly FeedSetting[];
  /** Database files that tell where addresses are, and whose. */
  readonly geoipFiles: readonly string[];
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly prefix: string;
    readonly tls: TlsFiles | undefined;
    /** Plain HTTP where others can reach it. */
    readonly plainBeyondLoopback: boolean;
    readonly limits: Pick<IntakeLimits, "connections" | "connectionsPerAddress" | "wrongKeysPerAddress" | "wrongKeysWaitMs">;
  };
  readonly lines: readonly LineInputConfig[];
  /** Folders with `conf.d/*.d/conf.yaml`, as the Datadog Agent has them. */
  readonly agentFolders: readonly string[];
  /** Checks of this host, where an Agent's folder asks for them. */
  readonly hostChecks: { readonly root: string; readonly hours: number };
  readonly keysRequired: boolean;
  /** Where people log in, beside a password. */
  readonly oidc: OidcConfig | undefined;
  readonly workers: number | "auto";
  readonly latenessSeconds: number;
  /** A log sent again under one id within ten minutes counts once. */
  readonly deduplicate: boolean;
  readonly stateBytes: number;
  readonly heldBytes: number;
  readonly checkpointSeconds: number;
  /** Logs as zstd, or as they are: seven times the room, and two thirds of the CPU that a served log takes. */
  readonly journal: { readonly compression: "fast" | "none" };
  /** Searches leave out what these match; rules judge it all the same. */
  readonly searchExclusions: readonly string[];
  readonly retention: { readonly days: number | undefined; readonly bytes: number | undefined };
  /** Days that what people did is kept in the audit trail. */
  readonly auditDays: number;
  /** Another intake that gets all that comes in, such as Datadog's own. */
  readonly tee: {
    readonly url: string;
    /** Of the environment; the key of an Agent's folder where there is none. */
    readonly keyVariable: string | undefined;
    readonly compression: "gzip" | "zstd" | "none";
  } | undefined;
}

export const defaultPort = 8282;
const MEGABYTE = 1024 * 1024;
const GIGABYTE = 1024 * MEGABYTE;

/**
 * The server's settings as YAML or JSON. Everything has a default, so an empty file is a good one; what is wrong comes back all
 * at once, with its line. Paths are as seen from `folder`; `places` says where every setting stands that was looked for.
 */
export function readConfig(text: string, file: string, folder: string): { readonly config: ServeConfig; readonly problems: readonly Problem[]; readonly places: readonly string[] } {
  const { items, problems } = documentItems(text, file.endsWith(".json") ? "json" : "yaml", []);
  const [item, second] = items;
  const reader = new ConfigReader(item?.value ?? {});
  const config = readMembers(reader, (path) => (isAbsolute(path) ? path : join(folder, path)));
  const found = reader.finish().map((problem) => ({ ...problem, file, ...item?.locate(problem.place ?? "") }));
  if (second) found.push({ code: "serve/several-documents", message: "the file holds several documents", hint: "keep the settings in one", file, ...second.locate("") });
  return { config, problems: [...problems.map((problem) => ({ ...problem, code: "serve/unreadable", file })), ...found], places: reader.places() };
}

export const defaultConfig = (folder: string): ServeConfig => readConfig("{}", "vespid.json", folder).config;

function readMembers(top: ConfigReader, path: (text: string) => string): ServeConfig {
  const http = top.inner("http");
  const limits = http.inner("limits");
  const retention = top.inner("retention");
  const tee = top.inner("tee");
  const hostChecks = top.inner("host_checks");
  const upstream = tee.text("url", "");
  const keyVariable = tee.text("api_key_env", "");
  const compression = tee.choice("compression", ["gzip", "zstd", "none"], "gzip");
  if (upstream !== "" && !/^https?:\/\/[^\s/]+/.test(upstream)) tee.problem("serve/bad-url", "url", `${upstream} is no address of an intake`, "write it as https://http-intake.logs.example.com");
  return {
    data: path(top.text("data", "vespid-data")),
    rules: top.texts("rules").map((each) => (each.startsWith("pack:") ? each : path(each))),
    strictRules: top.flag("strict_rules", false),
    pack: top.text("pack", "auto"),
    pipelines: top.texts("pipelines").map(path),
    settings: top.texts("settings").map(path),
    intelFeeds: intelOf(top.inner("threat_intel"), path),
    geoipFiles: geoipFilesOf(top.inner("geoip"), path),
    http: {
      host: http.text("host", "127.0.0.1"),
      port: http.integer("port", defaultPort, 0, 65_535),
      prefix: http.text("prefix", ""),
      tls: tlsOf(http.inner("tls"), path),
      plainBeyondLoopback: http.flag("plain_beyond_loopback", false),
      limits: {
        connections: limits.integer("connections", defaultLimits.connections, 1, 1_000_000),
        connectionsPerAddress: limits.integer("connections_per_address", defaultLimits.connectionsPerAddress, 1, 1_000_000),
        wrongKeysPerAddress: limits.integer("wrong_keys_per_address", defaultLimits.wrongKeysPerAddress, 1, 1_000_000),
        wrongKeysWaitMs: 1000 * limits.integer("wrong_keys_wait_seconds", defaultLimits.wrongKeysWaitMs / 1000, 1, 86_400),
      },
    },
    lines: top.list("lines").map((each) => {
      const input = { source: each.text("source", ""), service: each.text("service", "") };
      return {
        protocol: each.choice("protocol", ["udp", "tcp", "tls"], "tcp"),
        host: each.text("host", "127.0.0.1"),
        port: each.integer("port", 5140, 0, 65_535),
        ...(input.source === "" ? {} : { source: input.source }),
        ...(input.service === "" ? {} : { service: input.service }),
        tags: each.texts("tags"),
        needsKey: each.flag("needs_key", true),
      };
    }),
    agentFolders: top.texts("agent_folders").map(path),
    hostChecks: { root: hostChecks.text("root", "/"), hours: hostChecks.integer("hours", 6, 1, 168) },
    keysRequired: top.flag("keys_required", true),
    oidc: oidcOf(top.inner("oidc")),
    workers: top.integerOr("workers", "auto", 0, 256),
    deduplicate: top.flag("deduplicate", false),
    latenessSeconds: top.integer("lateness_seconds", 300, 0, 86_400),
    stateBytes: top.size("state", GIGABYTE, 16 * MEGABYTE),
    heldBytes: top.size("held", 64 * MEGABYTE, MEGABYTE),
    checkpointSeconds: top.integer("checkpoint_seconds", 30, 1, 86_400),
    journal: { compression: top.inner("journal").choice("compression", ["fast", "none"], "fast") },
    searchExclusions: exclusionsOf(top),
    retention: { days: retention.optionalInteger("days", 1, 36_500), bytes: retention.optionalSize("size", MEGABYTE) },
    auditDays: top.integer("audit_days", 90, 1, 36_500),
    tee: upstream === "" ? undefined : { url: upstream, keyVariable: keyVariable || undefined, compression },
  };
}

function exclusionsOf(top: ConfigReader): readonly string[] {
  const texts = top.texts("search_exclusions");
  for (const [i, { code, message, hint }] of readExclusions(texts).problems) top.problem(code, `search_exclusions[${i}]`, message, hint ?? "write it as a log search, such as source:debug");
  return texts;
}

function tlsOf(tls: ConfigReader, path: (text: string) => string): TlsFiles | undefined {
  const cert = tls.text("cert", "");
  const key = tls.text("key", "");
  if (cert === "" && key === "") return undefined;
  if (cert === "" || key === "") tls.problem("serve/half-tls", cert === "" ? "cert" : "key", "a certificate and its key belong together", 'give both "cert" and "key"');
  return { cert: path(cert), key: path(key) };
}
