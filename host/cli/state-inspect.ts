import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type StateFile, type StateSection, readState, sectionName } from "../detect/state/format.ts";
import { STATE_FILE, named } from "./checkpoint.ts";
import { UsageError } from "./problems.ts";
import { byteSize, count, jsonLine, plural, safe, table, timeText } from "./text.ts";

export interface StateInspectOptions {
  readonly json?: boolean;
}

/** `vespid state inspect`: what a saved state holds; every sum in it is checked. */
export function stateInspect(path: string, options: StateInspectOptions): number {
  const file = fileOf(path);
  const bytes = readFileSync(file);
  const { version, info, sections } = opened(bytes, file);
  if (options.json) {
    const parts = sections.map((section) => ({ kind: sectionName(section.kind), ...ruleOf(section), items: section.items, bytes: section.body.length }));
    process.stdout.write(jsonLine({ file, version, bytes: bytes.length, ...info, sections: parts }));
    return 0;
  }
  const rules = new Set(sections.flatMap(({ rule }) => (rule ? [rule.id] : [])));
  process.stdout.write(`${[
    `${file}: version ${version}, ${byteSize(bytes.length)}, ${plural(info.events, "event")} judged, state of ${plural(rules.size, "rule")}`,
    info.watermarkMs === undefined ? "no event time yet" : `highest event time ${timeText(info.watermarkMs)}`,
    ...Object.entries(info.streams).slice(0, STREAMS_SHOWN).map(([name, highMs]) => `  ${safe(name || "(one input)")}: ${timeText(highMs)}`),
    ...(Object.keys(info.streams).length > STREAMS_SHOWN ? [`  and ${plural(Object.keys(info.streams).length - STREAMS_SHOWN, "more stream")}`] : []),
    "",
  ].join("\n")}\n`);
  process.stdout.write(`${table(
    ["section", "rule", "fingerprint", { name: "items", align: "right" }, { name: "bytes", align: "right" }],
    sections.map((section) => {
      const { rule = "", fingerprint = "" } = ruleOf(section);
      return [sectionName(section.kind), safe(rule), fingerprint.slice(0, 12), count(section.items), count(section.body.length)];
    }),
  )}\n`);
  return 0;
}

function opened(bytes: Uint8Array, file: string): StateFile {
  try {
    return readState(bytes);
  } catch (error) {
    throw named(error, file);
  }
}

const STREAMS_SHOWN = 20;

function ruleOf({ rule }: StateSection): { readonly rule?: string; readonly fingerprint?: string } {
  return rule ? { rule: rule.id, fingerprint: Buffer.from(rule.fingerprint).toString("hex") } : {};
}

/** A folder stands for the file that `run --checkpoint` writes there. */
function fileOf(path: string): string {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (!facts) throw new UsageError(`${path}: no such file`);
  const file = facts.isDirectory() ? join(path, STATE_FILE) : path;
  if (!statSync(file, { throwIfNoEntry: false })) throw new UsageError(`${path}: no ${STATE_FILE} in it`);
  return file;
}
