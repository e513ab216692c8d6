import type { Json } from "../event/event.ts";
import { type Member, membersOf, skipBlanks, valueEnd } from "./json-scan.ts";

type Members = { readonly [name: string]: Json };

export function isMembers(value: unknown): value is { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a protocol knows of an event beside its attributes. */
export interface Reserved {
  readonly message?: string;
  readonly host?: string;
  readonly service?: string;
  readonly source?: string;
  readonly status?: string;
  /** Epoch milliseconds, or text as it came. */
  readonly timestamp?: number | string;
  readonly traceId?: string;
  readonly tags?: readonly string[];
}

/**
 * One event on its way to Datadog's intake shape: members as JSON text, so that a number or an object which nobody looks at
 * stays byte for byte as it came.
 */
export class RecordDraft {
  readonly #members = new Map<string, string>();

  /** A member as JSON text; of equal names the last counts, as in JSON. */
  put(name: string, json: string): this {
    this.#members.set(name, json);
    return this;
  }

  /** A member, unless the record has it. */
  fill(name: string, json: string): this {
    if (!this.#members.has(name)) this.#members.set(name, json);
    return this;
  }

  /** Takes over the members of a valid JSON object that lies in a body. */
  putObject(body: Buffer, start: number, end: number, except: (member: Member) => boolean = () => false): this {
    for (const member of membersOf(body, start, end)) if (!except(member)) this.put(member.name, body.toString("utf8", member.start, member.end));
    return this;
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  json(name: string): string | undefined {
    return this.#members.get(name);
  }

  /** Sets what the protocol knows, such that it is found before any attribute of a like name, and no object is lost by it. */
  reserve(reserved: Reserved): this {
    const { message, host, service, source, status, timestamp, traceId, tags } = reserved;
    if (message !== undefined) this.#give("message", message);
    // `host` may be an object, as Elastic's agents send it: it is looked through, and `hostname` is the next that counts.
    if (host !== undefined) this.#give(this.#members.get("host")?.startsWith("{") || !this.#members.has("host") ? "hostname" : "host", host);
    if (service !== undefined) this.#give("service", service);
    if (source !== undefined) this.#give("ddsource", source);
    if (status !== undefined) this.#give("status", status);
    if (timestamp !== undefined) this.put(this.#members.has("@timestamp") ? "@timestamp" : "timestamp", timeJson(timestamp));
    if (traceId !== undefined) this.put("dd.trace_id", JSON.stringify(traceId));
    if (tags?.length) this.addTags(tags);
    return this;
  }

  /** Joined to the record's own. */
  addTags(tags: readonly string[]): this {
    const own = this.#members.get("ddtags");
    const isFlat = own !== undefined && valueEnd(Buffer.from(own), 0, Buffer.byteLength(own), TAGS_DEPTH) >= 0;
    const texts = isFlat ? [JSON.parse(own) as Json].flat(TAGS_DEPTH).filter((tag) => typeof tag === "string" || typeof tag === "number") : [];
    return this.put("ddtags", JSON.stringify([...texts, ...tags].join(",")));
  }

  /** A text under a name; an object that has the name keeps its members under dotted ones, which paths find as well. */
  #give(name: string, text: string): void {
    const old = this.#members.get(name);
    if (old?.startsWith("{")) {
      const body = Buffer.from(old);
      for (const member of membersOf(body, 0, body.length)) this.fill(`${name}.${member.name}`, body.toString("utf8", member.start, member.end));
    }
    this.put(name, JSON.stringify(text));
  }

  /** One line, without its end. */
  text(): string {
    let text = "{";
    for (const [name, json] of this.#members) text += `${text.length > 1 ? "," : ""}${JSON.stringify(name)}:${json}`;
    // Values taken over may have been printed over several lines; a string holds no line feed of its own.
    return `${text}}`.replaceAll("\n", " ");
  }
}

/** Below it a number is read as seconds. */
const MILLISECONDS_FROM = 1e11;
const DATE_CAP_MS = 8.64e15;

/** A time such that its reader cannot take milliseconds for seconds. */
function timeJson(timestamp: number | string): string {
  if (typeof timestamp === "string") return JSON.stringify(timestamp);
  const ms = Math.floor(timestamp);
  return Math.abs(ms) >= MILLISECONDS_FROM || !Number.isFinite(ms) || Math.abs(ms) > DATE_CAP_MS ? String(Number.isFinite(ms) ? ms : 0) : JSON.stringify(new Date(ms).toISOString());
}

/** A text or number under a path of plain members, as text; blank is absence. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  let at = value;
  for (const name of path) {
    if (!isMembers(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  if (typeof at === "number") return String(at);
  return typeof at === "string" && at.trim() !== "" ? at : undefined;
}

/** `key:value` of every scalar member. */
export function tagsOf(labels: unknown): string[] {
  if (!isMembers(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => (typeof value === "object" ? [] : [`${key}:${String(value).replaceAll(",", "_")}`]));
}

/** Lists of tags within lists. */
const TAGS_DEPTH = 8;
/** As deep as the kernels read. Deeper still, JSON.parse takes a second for what came in a moment. */
const DEPTH_CAP = 256;

/** The object that [start, end) of a body is, blanks around it aside; undefined when it is none, or nested without reason. */
export function readObject(body: Buffer, start = 0, end = body.length): Members | undefined {
  const from = skipBlanks(body, start, end);
  if (from === end || body[from] !== 0x7b) return undefined;
  const to = valueEnd(body, from, end, DEPTH_CAP);
  return to < 0 || skipBlanks(body, to, end) < end ? undefined : (JSON.parse(body.toString("utf8", from, to)) as Members);
}
