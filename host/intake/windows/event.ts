import type { Json } from "../../event/event.ts";
import type { XmlElement } from "./xml.ts";

export type Members = { [name: string]: Json };

/** One Windows event, whoever exported it: the parts of its XML form as objects. */
export interface WindowsEvent {
  readonly id: number;
  readonly system: Members;
  readonly eventData: Members | undefined;
  readonly userData: Json | undefined;
  readonly message: string | undefined;
}

/** System members that are numbers in every event. */
const numbers: ReadonlySet<string> = new Set(["EventID", "Version", "Level", "Task", "Opcode", "EventRecordID", "ProcessID", "ThreadID"]);
/** Windows' level: 0 is given to what is always logged, such as audits. */
const statuses = ["info", "critical", "error", "warn", "info", "debug"] as const;

// Names come from outside: an object without prototype takes any of them as a name.
export function members(entries: Iterable<readonly [string, Json]> = []): Members {
  const made = Object.create(null) as Members;
  for (const [name, value] of entries) made[name] = value;
  return made;
}

/** The event in Datadog's intake shape: `Event` as the Agent sends it, the id as `evt.id`, and the reserved attributes. */
export function intakeRecord({ id, system, eventData, userData, message }: WindowsEvent): Members {
  const event = members([["System", system]]);
  if (eventData) event.EventData = eventData;
  if (userData !== undefined) event.UserData = userData;
  const record = members();
  const time = (system.TimeCreated as Members | undefined)?.SystemTime;
  if (time !== undefined) record.timestamp = time;
  if (system.Computer !== undefined) record.host = system.Computer;
  const level = system.Level;
  record.status = (typeof level === "number" && statuses[level]) || "info";
  record.message = message ?? `${String((system.Provider as Members | undefined)?.Name ?? system.Channel ?? "Windows")} event ${id}`;
  record.evt = members([["id", id]]);
  record.Event = event;
  return record;
}

/** The event of an `<Event>` element; undefined when it has no id. */
export function fromXml(root: XmlElement): WindowsEvent | undefined {
  const part = (name: string): XmlElement | undefined => root.children.find((child) => child.name === name);
  const systemPart = part("System");
  if (root.name !== "Event" || !systemPart) return undefined;
  const system = members();
  for (const child of systemPart.children) system[child.name] = systemValue(child.name, plain(child));
  const id = readId(system);
  if (id === undefined) return undefined;
  const data = part("EventData");
  const rendered = part("RenderingInfo")?.children.find((child) => child.name === "Message")?.text.trim();
  return { id, system, eventData: data && eventDataOf(data), userData: part("UserData") && plain(part("UserData")!, true), message: rendered || undefined };
}

/** `<Data Name="x">` becomes a member x; data without names a list. */
function eventDataOf(element: XmlElement): Members {
  const named = members();
  const unnamed: string[] = [];
  const rest = members();
  for (const child of element.children) {
    const name = child.attributes.get("Name");
    if (child.name !== "Data") add(rest, child.name, plain(child));
    else if (name === undefined) unnamed.push(child.text);
    else add(named, name, child.text);
  }
  if (Object.keys(named).length > 0) {
    unnamed.forEach((text, i) => add(named, `param${i + 1}`, text));
    rest.Data = named;
  } else if (unnamed.length > 0) rest.Data = unnamed;
  return rest;
}

/** An element as JSON: its text, or its attributes and children by name; what stands twice is a list. */
function plain(element: XmlElement, keepsEmpty = false): Json {
  if (element.attributes.size === 0 && element.children.length === 0) return keepsEmpty && element.text.trim() === "" ? members() : element.text;
  const made = members([...element.attributes].filter(([name]) => name !== "xmlns"));
  for (const child of element.children) add(made, child.name, plain(child));
  if (element.text.trim() !== "") add(made, "value", element.text);
  return made;
}

function add(to: Members, name: string, value: Json): void {
  const before = to[name];
  to[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
}

/** Numbers as numbers; an event id keeps its qualifiers beside it. */
export function systemValue(name: string, value: Json): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    if (name === "EventID") return asNumber(value.value ?? value["#text"] ?? value.text ?? value.Value ?? null);
    return members(Object.entries(value).map(([key, inner]) => [key, numbers.has(key) ? asNumber(inner) : inner]));
  }
  return numbers.has(name) ? asNumber(value) : value;
}

function asNumber(value: Json): Json {
  return typeof value === "string" && /^\d{1,15}$/.test(value.trim()) ? Number(value) : value;
}

export function readId(system: Members): number | undefined {
  const id = system.EventID;
  return typeof id === "number" && Number.isInteger(id) && id >= 0 && id < 65_536 ? id : undefined;
}
