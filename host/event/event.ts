/** A log as data: the envelope every query, rule and template is evaluated on (`null` and absent are the same). */
export interface LogEvent {
  message?: string;
  host?: string;
  service?: string;
  source?: string;
  /** Normalised: emergency alert critical error warn notice info debug ok. */
  status?: string;
  trace_id?: string;
  /** `key:value`, key up to the first colon, or a bare word. */
  tags?: string[];
  /** RFC 3339 text or epoch milliseconds. */
  timestamp?: string | number;
  attributes?: { [name: string]: Json };
}

/** What a query can be asked of: an event, or several seen as one, which have several hosts. */
export type Queryable = Omit<LogEvent, "host" | "service" | "source"> & {
  readonly host?: string | readonly string[];
  readonly service?: string | readonly string[];
  readonly source?: string | readonly string[];
};

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export const reservedAttributes = [
  "host", "service", "source", "status", "trace_id", "timestamp", "message", "tags",
] as const;
export type ReservedAttribute = (typeof reservedAttributes)[number];

/** How bytes become an envelope: the Datadog intake JSON, the envelope itself, any JSON object, text lines, syslog lines. */
export type EventFormat = "intake" | "log" | "raw" | "text" | "syslog";
