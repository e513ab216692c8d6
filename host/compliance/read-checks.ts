import { LineCounter, isMap, isSeq, parseDocument } from "yaml";
import type { Problem } from "../problem.ts";
import { type Check, type Question, type Wanted, checkSeverities } from "./check.ts";

type Members = Readonly<Record<string, unknown>>;

/** What is wrong with one check. */
class Fault extends Error {
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Members every check may have, and those of each type. */
const common: readonly string[] = ["id", "title", "severity", "type", "tags", "missing"];
const wantedMembers: readonly string[] = ["is", "most", "least"];
const members: Readonly<Record<Question["type"], readonly string[]>> = {
  file_mode: ["path", "most"], file_owner: ["path", "users", "groups"], file_contains: ["path", "pattern", "lacks"], file_absent: ["path"],
  setting: ["path", "key", "default", ...wantedMembers], sshd_option: ["option", "default", ...wantedMembers], sysctl: ["key", ...wantedMembers],
  process_running: ["names"], mount_option: ["path", "option"],
};

/** A list of checks in YAML or JSON, with all that is wrong with it; a check that is wrong is left out. */
export function readChecks(text: string, file: string): { readonly checks: readonly Check[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const checks: Check[] = [];
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  for (const error of document.errors) problems.push({ code: "compliance/unreadable", message: error.message.split("\n")[0]!, hint: "mend the YAML", file, line: counter.linePos(error.pos[0]).line });
  if (problems.length) return { checks, problems };
  if (!isSeq(document.contents)) return { checks, problems: [{ code: "compliance/unreadable", message: "the file is no list of checks", hint: "begin each with `- id:`", file }] };
  const seen = new Set<string>();
  for (const [i, node] of document.contents.items.entries()) {
    try {
      if (!isMap(node)) throw new Fault("a check is an object", "write its members as name: value");
      const check = readCheck(node.toJS(document) as Members);
      if (seen.has(check.id)) throw new Fault(`another check has the id ${check.id}`, "give each an id of its own");
      seen.add(check.id);
      checks.push(check);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      problems.push({ code: "compliance/bad-check", message: error.message, hint: error.hint, file, place: `[${i}]`, ...(isMap(node) && node.range ? counter.linePos(node.range[0]) && { line: counter.linePos(node.range[0]).line } : {}) });
    }
  }
  return { checks, problems };
}

function readCheck(wire: Members): Check {
  const { type, severity = "medium", missing = "skipped", tags = [] } = wire;
  if (typeof type !== "string" || !Object.hasOwn(members, type)) throw new Fault(`${String(type)} is no type of a check`, `use one of ${Object.keys(members).join(", ")}`);
  const known = [...common, ...members[type as Question["type"]]];
  const unknown = Object.keys(wire).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Fault(`${unknown} is not known of ${type}`, `it has ${known.join(", ")}`);
  if (missing !== "skipped" && missing !== "fail" && missing !== "pass") throw new Fault(`missing: ${String(missing)} is none`, "use skipped, fail or pass");
  const grave = checkSeverities.find((each) => each === severity);
  if (!grave) throw new Fault(`severity ${String(severity)} is none`, `use one of ${checkSeverities.join(", ")}`);
  return { id: textOf(wire, "id"), title: textOf(wire, "title"), severity: grave, tags: textsOf({ tags }, "tags"), missing, asks: readQuestion(type as Question["type"], wire) };
}

function readQuestion(type: Question["type"], wire: Members): Question {
  switch (type) {
    case "file_mode": {
      const most = String(wire.most ?? "");
      if (!/^0?[0-7]{3,4}$/.test(most)) throw new Fault("most is no mode of a file", 'write it as "0640"');
      return { type, path: pathOf(wire), most: Number.parseInt(most, 8) };
    }
    case "file_owner":
      return { type, path: pathOf(wire), users: textsOf(wire, "users"), groups: textsOf(wire, "groups") };
    case "file_contains":
      return { type, path: pathOf(wire), pattern: patternOf(textOf(wire, "pattern")), lacks: wire.lacks === true };
    case "file_absent":
      return { type, path: pathOf(wire) };
    case "setting":
      return { type, path: pathOf(wire), key: textOf(wire, "key"), wanted: wantedOf(wire), default: defaultOf(wire) };
    case "sshd_option":
      return { type, option: textOf(wire, "option"), wanted: wantedOf(wire), default: defaultOf(wire) };
    case "sysctl": {
      const key = textOf(wire, "key");
      if (!/^[\w.-]+$/.test(key)) throw new Fault(`${key} is no setting of the kernel`, "write it as kernel.randomize_va_space");
      return { type, key, wanted: wantedOf(wire) };
    }
    case "process_running":
      return { type, names: textsOf(wire, "names") };
    case "mount_option":
      return { type, path: pathOf(wire), option: textOf(wire, "option") };
  }
}

function textOf(wire: Members, name: string): string {
  const value = wire[name];
  if (typeof value !== "string" || value === "") throw new Fault(`${name} is required, and a text`, `add ${name}`);
  return value;
}

function textsOf(wire: Members, name: string): string[] {
  const value = wire[name];
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) throw new Fault(`${name} is a list of texts`, `write ${name}: ["..."]`);
  return value;
}

function pathOf(wire: Members): string {
  const path = textOf(wire, "path");
  if (!path.startsWith("/") || path.split("/").includes("..")) throw new Fault(`${path} is no whole path`, "begin it with /");
  return path;
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch {
    throw new Fault(`${text} is no pattern`, "write it as a regular expression");
  }
}

function wantedOf({ is, most, least }: Members): Wanted {
  if ([is, most, least].filter((each) => each !== undefined).length !== 1) throw new Fault("of is, most and least there is to be one", "say what its value is to be");
  if (is !== undefined) return { is: textsOf({ is }, "is").map((each) => each.toLowerCase()) };
  if (most !== undefined) return { most: numberOf(most) };
  return { least: numberOf(least) };
}

function numberOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Fault(`${String(value)} is no number`, "write most or least as a number");
  return value;
}

function defaultOf(wire: Members): string | undefined {
  const { default: value } = wire;
  return value === undefined ? undefined : String(value);
}
