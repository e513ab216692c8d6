import type { Router } from "./exchange.ts";
import { cloud } from "./protocol/cloud.ts";
import { datadog } from "./protocol/datadog.ts";
import { datadogEvents } from "./protocol/datadog-events.ts";
import { elastic } from "./protocol/elastic.ts";
import { securityFindings } from "./protocol/findings.ts";
import { firehose } from "./protocol/firehose.ts";
import { loki } from "./protocol/loki.ts";
import { otlp } from "./protocol/otlp.ts";
import { splunk } from "./protocol/splunk.ts";

export interface RouteOptions {
  /** Put before every path, besides the paths themselves: Agents from 7.70 can send below a prefix. */
  readonly prefix?: string;
  /** Version of Elasticsearch that shippers are told. */
  readonly elasticVersion?: string;
  readonly firehosePath?: string;
  /** Routers of whoever opens the port, asked before the one that answers any question. */
  readonly others?: readonly Router[];
}

/** All inputs of one port; none of their paths collide. Elasticsearch comes last: it answers any question. */
export function intakeRoutes(options: RouteOptions = {}): Router {
  const routers = [datadog, datadogEvents, securityFindings, otlp, splunk, cloud, firehose(options.firehosePath), loki, ...(options.others ?? []), elastic(options.elasticVersion)];
  const prefix = (options.prefix ?? "").replace(/\/+$/, "");
  return (method, path) => {
    const below = prefix !== "" && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
    for (const router of routers) {
      const endpoint = router(method, below);
      if (endpoint) return endpoint;
    }
    return undefined;
  };
}
