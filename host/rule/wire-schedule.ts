import { type Members, type Reader, join } from "./reader.ts";
import type { CalculatedField, RuleSchedule } from "./rule.ts";

const place = "schedulingOptions";
const frequencies = ["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
const HOUR_MINUTES = 60;

/** Reads `schedulingOptions`: a recurrence of an hour or more, without the members the scheduler sets itself. */
export function readSchedule(members: Members, reader: Reader): RuleSchedule | undefined {
  if (members.schedulingOptions === undefined || members.schedulingOptions === null) return undefined;
  const schedule = reader.members(members.schedulingOptions, place);
  reader.unknown(schedule, ["rrule", "start", "timezone"], place);
  const rrule = reader.filledText(schedule, "rrule", place);
  if (rrule.trim() !== "") checkRecurrence(rrule, reader);
  const start = reader.text(schedule, "start", place);
  if (start !== "" && Number.isNaN(Date.parse(start))) reader.problem("rule/bad-schedule", join(place, "start"), `${start} is no date`, "write such as 2026-03-01T10:00:00");
  const timezone = reader.text(schedule, "timezone", place);
  if (timezone !== "" && !isZone(timezone)) reader.problem("rule/bad-schedule", join(place, "timezone"), `${timezone} is no time zone`, "write such as Europe/Paris or UTC");
  return { rrule, ...(start === "" ? {} : { start }), ...(timezone === "" ? {} : { timezone }) };
}

function checkRecurrence(rrule: string, reader: Reader): void {
  const refuse = (message: string, hint: string): void => reader.problem("rule/bad-schedule", join(place, "rrule"), message, hint);
  const parts = new Map(rrule.trim().replace(/^RRULE:/i, "").split(/[;\n]/).map((part) => {
    const [name = "", value = ""] = part.split(/[=:]/);
    return [name.trim().toUpperCase(), value.trim().toUpperCase()];
  }));
  const foreign = ["DTSTART", "DTEND", "DURATION"].find((name) => [...parts.keys()].some((key) => key === name || key.startsWith(`${name}`)));
  if (foreign !== undefined) return refuse(`${foreign} cannot stand in the recurrence`, "use start and timezone instead");
  const frequency = parts.get("FREQ");
  if (frequency === undefined) return refuse("the recurrence names no FREQ", "write such as FREQ=DAILY;INTERVAL=1");
  const interval = Number(parts.get("INTERVAL") ?? "1");
  if (!Number.isInteger(interval) || interval < 1) return refuse("INTERVAL must be a whole number from 1", "write such as FREQ=HOURLY;INTERVAL=2");
  if (frequency === "MINUTELY" && interval >= HOUR_MINUTES) return undefined;
  if (frequency === "MINUTELY" || frequency === "SECONDLY") return refuse("a scheduled rule runs at most once an hour", "write FREQ=HOURLY");
  if (!frequencies.includes(frequency)) return refuse(`${frequency} is no frequency`, `use one of ${frequencies.join(", ")}`);
  return undefined;
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name }).format(0);
    return true;
  } catch {
    return false;
  }
}

/** `calculatedFields`, which only scheduled rules compute. */
export function readCalculatedFields(members: Members, isScheduled: boolean, reader: Reader): CalculatedField[] {
  const list = reader.list(members, "calculatedFields", "");
  if (list.length && !isScheduled) {
    reader.problem("rule/misplaced-field", "calculatedFields", "calculated fields need schedulingOptions", "add schedulingOptions, or take them out");
  }
  return list.map((value, i) => {
    const at = `calculatedFields[${i}]`;
    const field = reader.members(value, at);
    reader.unknown(field, ["name", "expression"], at);
    return { name: reader.filledText(field, "name", at), expression: reader.filledText(field, "expression", at) };
  });
}
