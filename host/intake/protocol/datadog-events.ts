import type { Json } from "../../event/event.ts";
import { type DecodeContext, type Decoded, type Endpoint, type IntakeRequest, Refused, type Router, jsonAnswer } from "../exchange.ts";
import { valueEnd, skipBlanks } from "../json-scan.ts";
import { RecordDraft, readObject, textAt } from "../record.ts";
import { RecordLines } from "../record-lines.ts";
import { datadogKey, refusePlain } from "./datadog-manner.ts";

let lastId = 0;

/** Grows with every event, and from one start to the next. */
function nextId(arrivalMs: number): number {
  lastId = Math.max(lastId + 1, arrivalMs * 1000);
  return lastId;
}

/**
 * `POST /api/v1/events`: one event of event management. `text` is its message, `alert_type` its status, `source_type_name` its source;
 * all members stay attributes. Rules of `dataSource: events` ask about it.
 */
function decodeEvent(request: IntakeRequest, { limits }: DecodeContext): Decoded {
  const { body, arrivalMs } = request;
  const event = readObject(body);
  if (!event) throw new Refused("bad-body", "the body is no JSON object");
  for (const name of ["title", "text"]) if (typeof event[name] !== "string" || event[name] === "") throw new Refused("bad-body", `${name} is required`);
  const tags = Array.isArray(event.tags) ? event.tags.filter((tag) => typeof tag === "string") : [];
  const start = skipBlanks(body, 0, body.length);
  const record = new RecordDraft().putObject(body, start, valueEnd(body, start, body.length)).reserve({
    message: event.text as string,
    host: textAt(event, "host") ?? textAt(event, "device_name"),
    source: textAt(event, "ddsource") ?? textAt(event, "source_type_name")?.toLowerCase(),
    status: textAt(event, "alert_type") ?? "info",
    timestamp: dateOf(event.date_happened, arrivalMs),
    tags,
  });
  const id = nextId(arrivalMs);
  const lines = new RecordLines(limits);
  if (!lines.add(record.fill("id", String(id)))) throw new Refused("too-large", `the event is over ${limits.recordBytes} bytes`);
  const { title, text, date_happened, priority } = event;
  return {
    ...lines.decoded(),
    batches: lines.batches().map((batch) => ({ ...batch, dataSource: "events" as const })),
    answer: jsonAnswer(202, {
      status: "ok",
      event: { id, id_str: String(id), title, text, date_happened: date_happened ?? Math.floor(arrivalMs / 1000), handle: null, priority: priority ?? null, tags, related_event_id: event.related_event_id ?? null, device_name: event.device_name ?? null },
    }),
  };
}

/** Seconds since the epoch. */
function dateOf(value: Json | undefined, arrivalMs: number): number {
  return typeof value === "number" && value > 0 ? value * 1000 : arrivalMs;
}

const events: Endpoint = { input: "events", key: datadogKey, decode: decodeEvent, refuse: refusePlain };

export const datadogEvents: Router = (method, path) => (method === "POST" && path === "/api/v1/events" ? events : undefined);
