import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type KeptFacts, coverageGaps, stateOf } from "../control/packs/facts.ts";
import { DAY_MS, type PackStatus } from "../control/packs/status.ts";
import { attack } from "../mitre/attack.ts";
import { readTags } from "../mitre/tags.ts";
import { readPackRules } from "../pack-rules.ts";
import { type LoadedPack, contentFolder, loadPacks } from "../packs.ts";
import { type Rule, severityNumber } from "../rule/rule.ts";
import { idleReason } from "../rule/standing.ts";
import { SqlDriver } from "../store/driver.ts";
import { PackStore } from "../store/packs.ts";
import { withPeople } from "./people-store.ts";
import { UsageError } from "./problems.ts";
import { coloured, count, cut, jsonLine, plural, safe, styled, table, timeText } from "./text.ts";

export interface PacksOptions {
  readonly data?: string;
  readonly json?: boolean;
}

const TOLD_DAYS = 8;

/** `vespid packs list`: what comes along, and what nobody watches. */
export async function list({ data, json }: PacksOptions): Promise<number> {
  const packs = await loadPacks();
  const known = data === undefined ? undefined : readStore(data);
  const enabled = new Set([...(known?.facts ?? [])].filter(([, { activation }]) => activation === "activated").map(([name]) => name));
  const gaps = coverageGaps(packs, data === undefined ? new Set(packs.map(({ name }) => name)) : enabled);
  const rows = packs.map((pack) => ({ pack, rules: readPackRules(pack.name), status: known?.stateOf(pack)?.status }));
  if (json) {
    process.stdout.write(jsonLine({
      packs: rows.map(({ pack, rules, status }) => ({ ...headOf(pack), rules: rules.length, ...(known ? { enabled: enabled.has(pack.name), status: status ?? null } : {}) })), coverage_gaps: gaps,
    }));
    return 0;
  }
  process.stdout.write(`${table(["PACK", "VERSION", "CATEGORY", { name: "RULES", align: "right" }, ...(known ? ["STATE"] : []), "SOURCES", "TITLE"], rows.map(({ pack, rules, status }) => [
    safe(pack.name), safe(pack.version), pack.category ?? "-", count(rules.length), ...(known ? [status ?? "-"] : []), cut(safe(pack.sources.join(" ")), 44), safe(pack.title),
  ]))}\n`);
  process.stderr.write(`${plural(packs.length, "pack")}, ${plural(rows.reduce((sum, { rules }) => sum + rules.length, 0), "rule")}\n`);
  for (const { category, packs: missing } of gaps) process.stderr.write(`${styled("yellow", "not watched", process.stderr)}: ${category}${missing.length ? `; ${missing.map(safe).join(" or ")} would` : ""}\n`);
  return 0;
}

/** `vespid packs show`. */
export async function show(name: string, { json }: PacksOptions): Promise<number> {
  const pack = await packNamed(name);
  const rules = readPackRules(name);
  const mitre = attack(contentFolder());
  const guide = pack.guide === undefined ? undefined : readFileSync(join(pack.folder, pack.guide), "utf8");
  const techniques = (rule: Rule): string[] => readTags(mitre, rule.tags).pairs.map(({ tactic, technique }) => `${tactic.id}/${technique.id}`);
  const told = rules.map((rule) => ({ rule, severity: highest(rule), attack: techniques(rule), idle: idleReason(rule) }));
  if (json) {
    process.stdout.write(jsonLine({
      ...headOf(pack), description: pack.description, integrations: pack.integrations, changelog: pack.changelog, guide: guide ?? null, health: { attributes: pack.health.attributes.map((path) => `@${path.join(".")}`), parse_failures: pack.health.parseFailures, quiet_hours: pack.health.quietHours },
      pipelines: pack.pipelines.map(({ id, name: title, processors }) => ({ id, name: title, processors: processors.length })),
      rules: told.map(({ rule, severity, attack: pairs, idle }) => ({ id: rule.id, name: rule.name, method: rule.options.detectionMethod, severity: severity ?? null, attack: pairs, ...(idle === undefined ? {} : { idle }) })),
    }));
    return 0;
  }
  const lines = [
    `${styled("bold", `${safe(pack.title)} ${safe(pack.version)}`)}  (${safe(pack.name)}${pack.category ? `, ${pack.category}` : ""})`, safe(pack.description), "",
    `Sources: ${pack.sources.map(safe).join(", ")}`, ...(pack.integrations.length ? [`Integrations: ${pack.integrations.map(safe).join(", ")}`] : []), "",
    table(["PIPELINE", { name: "PROCESSORS", align: "right" }, "NAME"], pack.pipelines.map(({ id, name: title, processors }) => [safe(id), count(processors.length), safe(title)])), "",
    table(["RULE", "SEVERITY", "METHOD", "ATT&CK", "NAME"], told.map(({ rule, severity, attack: pairs }) => [safe(rule.id), severity ?? "-", rule.options.detectionMethod, pairs.join(" "), safe(rule.name)]), (text, row, column) => (column === 1 && row >= 0 && told[row]!.severity ? coloured(told[row]!.severity!, text) : text)),
    ...(guide === undefined ? [] : ["", ...guide.trimEnd().split("\n").map(safe)]),
    ...(pack.changelog.length ? ["", styled("bold", "What changed"), ...pack.changelog.flatMap(({ version, changes }) => changes.map((change) => `${safe(version)}  ${safe(change)}`))] : []),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  const idle = told.filter((each) => each.idle !== undefined);
  for (const { rule, idle: reason } of idle) process.stderr.write(`${styled("yellow", "idle", process.stderr)} ${safe(rule.id)}: ${safe(reason!)}\n`);
  return 0;
}

/** `vespid packs doctor`: exit code 1 where an enabled pack is not well. */
export async function doctor(names: readonly string[], { data = "vespid-data", json }: PacksOptions): Promise<number> {
  const packs = await loadPacks();
  for (const name of names) await packNamed(name);
  const known = readStore(data);
  if (!known.facts.size) throw new UsageError(`${safe(data)}: no server of this version has run there yet; start one, and ask again a minute later`);
  const rows = packs.filter(({ name }) => !names.length || names.includes(name)).map((pack) => ({ pack, facts: known.facts.get(pack.name), state: known.stateOf(pack) }))
    .filter(({ pack, state, facts }) => names.length || facts?.activation === "activated" || (pack.sources.length > 0 && (state?.events ?? 0) > 0));
  if (json) {
    for (const { pack, facts, state } of rows) {
      process.stdout.write(jsonLine({
        pack: pack.name, status: state?.status ?? null, activation: facts?.activation ?? null, reasons: state?.reasons ?? [], last_seen: state?.lastSeenMs === undefined ? null : new Date(state.lastSeenMs).toISOString(),
        logs_recently: state?.events ?? 0, parse_failure_percent: Math.round((state?.parseFailures ?? 0) * 10) / 10, rules: facts?.rules ?? 0, idle_rules: facts?.idle ?? [],
      }));
    }
  } else {
    process.stdout.write(`${table(["PACK", "STATE", "LAST LOG", { name: "LOGS OF 2 DAYS", align: "right" }, { name: "NOT PARSED", align: "right" }, { name: "RULES", align: "right" }, "WHY"], rows.map(({ pack, facts, state }) => [
      safe(pack.name), state?.status ?? "-", state?.lastSeenMs === undefined ? "never" : timeText(state.lastSeenMs), count(state?.events ?? 0), `${(state?.parseFailures ?? 0).toFixed(1)} %`, count(facts?.rules ?? 0), safe(state?.reasons.join("; ") ?? ""),
    ]), (text, row, column) => (column === 1 && row >= 0 && rows[row]!.state ? styled(styles[rows[row]!.state.status], text) : text))}\n`);
    for (const { pack, facts } of rows) for (const { id, reason } of facts?.idle ?? []) process.stderr.write(`${safe(pack.name)}: ${safe(id)} cannot fire: ${safe(reason)}\n`);
  }
  return rows.some(({ facts, state }) => facts?.activation === "activated" && state && !well.has(state.status)) ? 1 : 0;
}

const well: ReadonlySet<PackStatus> = new Set(["active", "initializing"]);
const styles: Readonly<Record<PackStatus, Parameters<typeof styled>[0]>> = { install: "dim", activate: "dim", initializing: "cyan", active: "green", warning: "yellow", broken: "red", not_configured: "red" };

/** `vespid packs enable|disable`. */
export async function decide(names: readonly string[], decision: "activated" | "deactivated", { data = "vespid-data" }: PacksOptions): Promise<number> {
  for (const name of names) await packNamed(name);
  return await withPeople(data, false, ({ sql, change }) => {
    const store = new PackStore(sql);
    for (const name of names) {
      const before = store.get(name)?.decision;
      if (before === decision) continue;
      change(() => {
        store.decide(name, decision, "vespid command line", Date.now());
        return { result: undefined, entries: [{ action: "modified", asset: { type: "content_pack", id: name }, before: { decision: before ?? null }, after: { decision } }] };
      });
    }
    process.stderr.write(`${names.map(safe).join(", ")} ${decision}; a server that runs takes it up within a minute\n`);
    return 0;
  });
}

interface KnownPacks {
  readonly facts: ReadonlyMap<string, KeptFacts>;
  stateOf(pack: LoadedPack): ReturnType<typeof stateOf> | undefined;
}

/** What the server of a data folder knew last; times are told as of now. */
function readStore(data: string): KnownPacks {
  const path = join(data, "vespid.db");
  if (!existsSync(path)) throw new UsageError(`${safe(data)}: no server keeps its data there`);
  const sql = SqlDriver.openToRead(path);
  try {
    const store = new PackStore(sql);
    const nowMs = Date.now();
    const days = store.days(Math.floor(nowMs / DAY_MS) - TOLD_DAYS);
    const facts = new Map([...store.facts()].map(([name, text]) => [name, JSON.parse(text) as KeptFacts]));
    return {
      facts,
      stateOf: (pack) => {
        const kept = facts.get(pack.name);
        return kept && stateOf(pack, kept, days, nowMs);
      },
    };
  } catch (error) {
    throw new UsageError(`${safe(data)}: ${(error as Error).message}; start its server once with this version`);
  } finally {
    sql.close();
  }
}

async function packNamed(name: string): Promise<LoadedPack> {
  const packs = await loadPacks();
  const pack = packs.find((each) => each.name === name);
  if (!pack) throw new UsageError(`there is no pack ${safe(name)}; use one of ${packs.map((each) => each.name).join(" ")}`);
  return pack;
}

function headOf({ name, version, title, category, sources }: LoadedPack) {
  return { name, version, title, category: category ?? null, sources };
}

function highest(rule: Rule): Rule["cases"][number]["severity"] | undefined {
  return rule.cases.map(({ severity }) => severity).toSorted((a, b) => severityNumber(b) - severityNumber(a))[0];
}
