import type { Json } from "../../event/event.ts";
import { type Decoded, type Endpoint, type IntakeRequest, Refused, type Router, jsonAnswer } from "../exchange.ts";
import { isMembers, readObject, textAt } from "../record.ts";
import { datadogKey, refusePlain } from "./datadog-manner.ts";

/** What an Agent tells of itself and its host; what is undefined it did not tell. */
export interface AgentBeat {
  readonly name: string;
  readonly version?: string;
  readonly os?: string;
  /** What it is switched on for. */
  readonly modules?: readonly string[];
  readonly tags?: readonly string[];
}

/** Switches of an Agent's inventory, and what we call what they switch on. */
const features: Readonly<Record<string, string>> = {
  feature_logs_enabled: "logs", feature_cws_enabled: "workload protection", feature_cspm_enabled: "compliance", feature_cspm_host_benchmarks_enabled: "host benchmarks",
  feature_process_enabled: "processes", feature_networks_enabled: "network", feature_apm_enabled: "traces", feature_usm_enabled: "services",
};
const NAME_CAP = 255;
const TEXT_CAP = 200;
const MOST_LISTED = 100;

/**
 * What Datadog's Agent sends of itself: `POST /intake/` (its host metadata: `internalHostname`, `agentVersion`, `os`, `host-tags`) and
 * `POST /api/v1/metadata` (its inventory: `hostname`, `agent_metadata` with version and switches). Whoever is no Agent may say
 * `{hostname, agent_version, os, modules, tags}` at either. Nothing of it is a log.
 *
 * @param onBeat hears of each that was taken
 */
export function agentMetadata(onBeat: (beat: AgentBeat, arrivalMs: number) => void): Router {
  const decode = ({ body, arrivalMs }: IntakeRequest): Decoded => {
    const told = readObject(body);
    if (!told) throw new Refused("bad-body", "the body is no JSON object");
    const beat = beatOf(told);
    // Agents also send inventories of other things by these paths, which name no host.
    return { batches: [], events: 0, answer: jsonAnswer(202, { status: "ok" }), ...(beat ? { settled: (isTaken) => void (isTaken && onBeat(beat, arrivalMs)) } : {}) };
  };
  const endpoint: Endpoint = { input: "agent-metadata", key: datadogKey, decode, refuse: refusePlain };
  return (method, path) => (method === "POST" && (path === "/intake" || path === "/intake/" || path === "/api/v1/metadata") ? endpoint : undefined);
}

function beatOf(told: { readonly [name: string]: Json }): AgentBeat | undefined {
  const name = textAt(told, "internalHostname") ?? textAt(told, "hostname");
  if (name === undefined || name.length > NAME_CAP) return undefined;
  const agent = isMembers(told.agent_metadata) ? told.agent_metadata : {};
  const version = textAt(told, "agentVersion") ?? textAt(agent, "agent_version") ?? textAt(told, "agent_version");
  const os = textAt(told, "os");
  const modules = isMembers(told.agent_metadata) ? Object.entries(features).flatMap(([key, module]) => (agent[key] === true ? [module] : [])) : texts(told.modules);
  const tags = texts(isMembers(told["host-tags"]) ? told["host-tags"].system : told.tags);
  return { name, ...(version === undefined ? {} : { version: version.slice(0, TEXT_CAP) }), ...(os === undefined ? {} : { os: os.slice(0, TEXT_CAP) }), ...(modules ? { modules } : {}), ...(tags ? { tags } : {}) };
}

function texts(value: Json | undefined): string[] | undefined {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string").slice(0, MOST_LISTED).map((each) => each.slice(0, TEXT_CAP)) : undefined;
}
