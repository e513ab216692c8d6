import type { Json } from "../../event/event.ts";
import { type Members, members, readId, systemValue, type WindowsEvent } from "./event.ts";

/** Where a member of other exporters' JSON stands in `System`: a name, or a name and one inside it. */
type Place = readonly [string, string?];

/** Flat JSON (NXLog and the like), Winlogbeat old and new, PowerShell's `Get-WinEvent | ConvertTo-Json`. */
const places: Readonly<Record<string, Place>> = {
  EventID: ["EventID"], event_id: ["EventID"], Id: ["EventID"],
  Channel: ["Channel"], channel: ["Channel"], log_name: ["Channel"], LogName: ["Channel"],
  Hostname: ["Computer"], Computer: ["Computer"], computer_name: ["Computer"], MachineName: ["Computer"], ComputerName: ["Computer"],
  SourceName: ["Provider", "Name"], ProviderName: ["Provider", "Name"], source_name: ["Provider", "Name"], provider_name: ["Provider", "Name"],
  ProviderGuid: ["Provider", "Guid"], provider_guid: ["Provider", "Guid"], ProviderId: ["Provider", "Guid"],
  TimeCreated: ["TimeCreated", "SystemTime"], EventTime: ["TimeCreated", "SystemTime"],
  Level: ["Level"], Task: ["Task"], Opcode: ["Opcode"], Keywords: ["Keywords"], Version: ["Version"],
  RecordNumber: ["EventRecordID"], RecordId: ["EventRecordID"], record_id: ["EventRecordID"], record_number: ["EventRecordID"], EventRecordID: ["EventRecordID"],
  ExecutionProcessID: ["Execution", "ProcessID"], ThreadID: ["Execution", "ThreadID"],
};
/** Members of an exporter's own, no part of the event. */
const dropped: ReadonlySet<string> = new Set([
  "Message", "message", "@timestamp", "@version", "@metadata", "event_data", "user_data", "EventReceivedTime", "SourceModuleName", "SourceModuleType", "tags", "port", "host", "beat",
]);

function isMembers(value: Json | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The event of a JSON object, by whichever of the known exporters; undefined when it is none. */
export function fromJson(value: Json): WindowsEvent | undefined {
  if (!isMembers(value)) return undefined;
  if (isMembers(value.Event) && isMembers(value.Event.System)) return fromEvent(value.Event, value);
  const winlog = isMembers(value.winlog) ? value.winlog : undefined;
  const wire = winlog ?? value;
  const system = members();
  const rest = members();
  for (const [name, inner] of Object.entries(wire)) {
    const place = Object.hasOwn(places, name) ? places[name] : undefined;
    if (place) put(system, place, name === "TimeCreated" || name === "EventTime" ? timeOf(inner) : inner);
    else if (!dropped.has(name)) rest[name] = inner;
  }
  const time = value["@timestamp"];
  if (time !== undefined && system.TimeCreated === undefined) put(system, ["TimeCreated", "SystemTime"], time);
  const id = readId(system);
  if (id === undefined) return undefined;
  const data = isMembers(wire.event_data) ? wire.event_data : propertiesOf(wire.Properties) ?? (winlog ? undefined : rest);
  const message = [value.Message, value.message, wire.message].find((text) => typeof text === "string");
  return { id, system, eventData: data === undefined ? undefined : members([["Data", Array.isArray(data) ? data : members(Object.entries(data))]]), userData: wire.user_data ?? undefined, message: message as string | undefined };
}

/** The XML form as JSON: the Agent's own, and `evtx_dump`'s with its `#attributes` and `#text`. */
function fromEvent(event: Members, record: Members): WindowsEvent | undefined {
  const system = members(Object.entries(event.System as Members).map(([name, value]) => [name, systemValue(name, flattened(value))]));
  const id = readId(system);
  if (id === undefined) return undefined;
  const wire = flattened(event.EventData ?? null);
  const eventData = isMembers(wire) ? ("Data" in wire ? dataList(wire) : members([["Data", wire]])) : undefined;
  const message = typeof record.message === "string" ? record.message : undefined;
  return { id, system, eventData, userData: event.UserData === undefined || event.UserData === null ? undefined : flattened(event.UserData), message };
}

/** `Data` as a list of `{Name, value}` by its names. */
function dataList(wire: Members): Members {
  const list = wire.Data;
  if (!Array.isArray(list) || !list.every((each) => isMembers(each) && typeof each.Name === "string")) return wire;
  return members([...Object.entries(wire), ["Data", members((list as Members[]).map((each) => [each.Name as string, each.value ?? each["#text"] ?? each.text ?? ""]))]]);
}

/** `{"#attributes": {a}, "#text": t}` as `{a, value: t}`, and as its text when that is all. */
function flattened(value: Json, depth = 0): Json {
  if (!isMembers(value) || depth > 16) return value;
  const { "#attributes": attributes, "#text": text, ...rest } = value;
  const made = members([
    ...(isMembers(attributes) ? Object.entries(attributes).filter(([name]) => name !== "xmlns") : []),
    ...Object.entries(rest).map(([name, inner]): [string, Json] => [name, flattened(inner, depth + 1)]),
  ]);
  if (text === undefined) return made;
  if (Object.keys(made).length === 0) return text;
  made.value = text;
  return made;
}

/** PowerShell gives the data's values without their names. */
function propertiesOf(value: Json | undefined): Json[] | undefined {
  return Array.isArray(value) ? value.map((each) => (isMembers(each) && "Value" in each ? each.Value! : each)) : undefined;
}

/** `/Date(1600000000000)/` of PowerShell 5 as ISO 8601; others stay. */
function timeOf(value: Json): Json {
  const inner = isMembers(value) ? (value.SystemTime ?? value.value ?? null) : value;
  const ms = typeof inner === "string" ? /^\/Date\((\d{1,15})\)\/$/.exec(inner)?.[1] : undefined;
  return ms === undefined || Number(ms) > 8.64e15 ? inner : new Date(Number(ms)).toISOString();
}

function put(system: Members, [name, inside]: Place, value: Json): void {
  if (inside === undefined) {
    system[name] ??= systemValue(name, value);
    return;
  }
  const outer = isMembers(system[name]) ? system[name] : (system[name] = members());
  outer[inside] ??= systemValue(inside, value);
}
