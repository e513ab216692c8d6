import { readFileSync, rmSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { join } from "node:path";
import { writeAtomically } from "../atomic-file.ts";
import { packageVersion } from "./package-folder.ts";
import { UsageError } from "./problems.ts";
import { byteSize, count, jsonLine, plural, safe, styled } from "./text.ts";

export interface StatusOptions {
  readonly data: string;
  readonly url?: string;
  readonly json?: boolean;
}

const RUNNING_FILE = "server.json";
const ANSWER_MS = 5000;
const EVERYWHERE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

interface Running {
  readonly url: string;
  readonly pid: number;
  readonly started_at: string;
}

/** Tells other processes on this machine where the server of a data folder answers. */
export function keepRunning(data: string, scheme: "http" | "https", { host, port }: { readonly host: string; readonly port: number }): void {
  const near = EVERYWHERE.has(host) ? "127.0.0.1" : host;
  const running: Running = { url: `${scheme}://${near.includes(":") ? `[${near}]` : near}:${port}`, pid: process.pid, started_at: new Date().toISOString() };
  writeAtomically(join(data, RUNNING_FILE), Buffer.from(`${JSON.stringify(running)}\n`));
}

export function forgetRunning(data: string): void {
  rmSync(join(data, RUNNING_FILE), { force: true });
}

/** `vespid status`: exit code 1 when no server answers. */
export async function status(options: StatusOptions): Promise<number> {
  const running = options.url === undefined ? runningOf(options.data) : { url: options.url.replace(/\/+$/, "") };
  if (!running) throw new UsageError(`no server runs on ${safe(options.data)}; name another folder with --data, or its address with --url`);
  let answers: { readonly ready: Ready; readonly metrics: Metrics };
  try {
    answers = { ready: JSON.parse(await get(`${running.url}/readyz`)) as Ready, metrics: new Metrics(await get(`${running.url}/metrics`)) };
  } catch (error) {
    process.stderr.write(`no server answers at ${safe(running.url)}: ${safe((error as NodeJS.ErrnoException).code ?? (error as Error).message)}\n`);
    return 1;
  }
  const told = tellOf(running, answers.ready, answers.metrics);
  process.stdout.write(options.json ? jsonLine(told) : textOf(told));
  return 0;
}

/** What `/readyz` says, as far as it is shown. */
interface Ready {
  readonly status: string;
  readonly reason?: string;
  readonly degraded?: readonly string[];
  readonly journal: { readonly state: string; readonly message?: string; readonly bytes: number; readonly behind_checkpoint: number; readonly lost_entries: number };
  readonly rules: { readonly judging: number; readonly refused?: string; readonly unproved: number };
  readonly tail?: { readonly files: number; readonly unreadable: number };
  readonly tee?: { readonly behind_entries: number; readonly problem?: string };
  readonly geoip?: readonly Database[];
}

/** A GeoIP database of the settings; without a date it is not in use. */
interface Database {
  readonly name: string;
  readonly type?: string;
  readonly built?: string;
  readonly loaded_at?: string;
  readonly problem?: string;
}

/** Samples of `/metrics`. */
class Metrics {
  readonly #samples: ReadonlyArray<{ readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }>;

  constructor(text: string) {
    this.#samples = text.split("\n").flatMap((line) => {
      const [, name, labels = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined) return [];
      return [{ name, value: Number(value), labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label!, text!])) }];
    });
  }

  /** Sum over all labels. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const held = this.#samples.filter((each) => each.name === `vespid_${name}` && Object.entries(labels).every(([label, text]) => each.labels[label] === text));
    return held.reduce((total, { value }) => total + value, 0);
  }

  values(name: string, label: string): string[] {
    return [...new Set(this.#samples.filter((each) => each.name === `vespid_${name}`).map(({ labels }) => labels[label]!))];
  }
}

interface Told {
  readonly version: string;
  readonly url: string;
  readonly pid?: number;
  readonly started_at?: string;
  readonly status: string;
  readonly reason?: string;
  readonly degraded: readonly string[];
  readonly security_agent: {
    readonly modules: readonly string[];
    readonly rules: { readonly loaded: number; readonly unproved: number; readonly refused?: string; readonly reloads: number };
    readonly events: { readonly judged: number; readonly matches: number; readonly late: number; readonly malformed: number; readonly suppressed: number; readonly quarantined_batches: number };
    readonly signals: number;
    readonly state_bytes: number;
  };
  readonly intake: ReadonlyArray<{ readonly input: string; readonly requests: number; readonly events: number; readonly bytes: number; readonly refused: number; readonly rejected: number }>;
  readonly journal: Ready["journal"];
  readonly geoip: { readonly databases: readonly Database[]; readonly unanswered_rules: number };
}

function tellOf(running: { readonly url: string } & Partial<Running>, { status: state, reason, degraded = [], journal, rules, tail, tee, geoip = [] }: Ready, metrics: Metrics): Told {
  const inputs = metrics.values("intake_requests_total", "input");
  const lines = inputs.filter((input) => input.startsWith("syslog:"));
  return {
    version: packageVersion(), url: running.url, ...(running.pid === undefined ? {} : { pid: running.pid, started_at: running.started_at }), status: state, ...(reason === undefined ? {} : { reason }), degraded,
    security_agent: {
      modules: [
        "threat detection", "log search",
        ...(lines.length ? [`line inputs (${lines.length})`] : []),
        ...(tail ? [`file tail (${plural(tail.files, "file")}${tail.unreadable ? `, ${tail.unreadable} unreadable` : ""})`] : []),
        ...(tee ? [`tee (${tee.problem ?? `${plural(tee.behind_entries, "batch", "batches")} behind`})`] : []),
      ],
      rules: { loaded: rules.judging, unproved: rules.unproved, ...(rules.refused === undefined ? {} : { refused: rules.refused }), reloads: metrics.sum("rule_reloads_total") },
      events: {
        judged: metrics.sum("events_total"), matches: metrics.sum("matches_total"), late: metrics.sum("late_dropped_total"), malformed: metrics.sum("malformed_total"),
        suppressed: metrics.sum("suppressed_total"), quarantined_batches: metrics.sum("quarantined_entries"),
      },
      signals: metrics.sum("signals"), state_bytes: metrics.sum("state_bytes"),
    },
    intake: inputs.map((input) => ({
      input, requests: metrics.sum("intake_requests_total", { input }), events: metrics.sum("intake_events_total", { input }), bytes: metrics.sum("intake_bytes_total", { input }),
      refused: metrics.sum("intake_refused_total", { input }), rejected: metrics.sum("intake_rejected_total", { input }),
    })),
    journal,
    geoip: { databases: geoip, unanswered_rules: metrics.sum("geoip_unanswered_rules") },
  };
}

function textOf({ version, url, pid, started_at: startedAt, status: state, reason, degraded, security_agent: agent, intake, journal, geoip }: Told): string {
  const { rules, events } = agent;
  return [
    block(`Vespid ${version}`, [
      ["Status", `${state}${reason === undefined ? "" : `: ${reason}`}${degraded.length ? ` (${degraded.join(", ")})` : ""}`],
      ["Address", url],
      ...(pid === undefined ? [] : [["Process", `${pid}, since ${startedAt}`] as const]),
    ]),
    block("Security Agent", [
      ["Enabled modules", agent.modules.join(", ")],
      ["Rules loaded", `${count(rules.loaded)}${rules.unproved ? `, ${count(rules.unproved)} without a sample log that shows they can fire` : ""}`],
      ["Rules on disk", rules.refused === undefined ? "those that judge" : `refused: ${rules.refused}`],
      ["Events judged", count(events.judged)],
      ["Events matched", count(events.matches)],
      ["Events late", count(events.late)],
      ["Events malformed", count(events.malformed)],
      ["Events suppressed", count(events.suppressed)],
      ["Batches set aside", count(events.quarantined_batches)],
      ["Signals", count(agent.signals)],
      ["State", byteSize(agent.state_bytes)],
    ]),
    block("Intake", intake.length ? intake.map(({ input, requests, events: taken, bytes, refused, rejected }) => [input, `${plural(requests, "request")}, ${plural(taken, "event")}, ${byteSize(bytes)}, ${count(refused)} refused, ${plural(rejected, "record")} rejected`] as const) : [["Nothing", "has come yet"]]),
    block("Journal", [
      ["State", `${journal.state}${journal.message === undefined ? "" : `: ${journal.message}`}`],
      ["Size", byteSize(journal.bytes)],
      ["Behind checkpoint", plural(journal.behind_checkpoint, "batch", "batches")],
      ["Lost", plural(journal.lost_entries, "batch", "batches")],
    ]),
    block("GeoIP", [
      ...geoip.databases.map(({ name, type, built, problem }) => [name, `${built === undefined ? "not in use" : `${type === "" ? "of unnamed kind" : type}, of ${built}`}${problem === undefined ? "" : `; its file is refused: ${problem}`}`] as const),
      ...(geoip.databases.length ? [] : [["Databases", "none: name some under geoip in the settings"] as const]),
      ...(geoip.unanswered_rules ? [["Rules unanswered", `${count(geoip.unanswered_rules)}, which ask where addresses are`] as const] : []),
    ]),
  ].join("\n");
}

/** A heading and `name: value` lines, as Agents print theirs. */
function block(heading: string, lines: ReadonlyArray<readonly [string, string]>): string {
  const width = Math.max(...lines.map(([name]) => name.length));
  return `${styled("bold", heading)}\n${"=".repeat(heading.length)}\n${lines.map(([name, value]) => `  ${`${safe(name)}:`.padEnd(width + 1)} ${safe(value)}\n`).join("")}`;
}

function runningOf(data: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(join(data, RUNNING_FILE), "utf8")) as Running;
  } catch {
    return undefined;
  }
}

/** A certificate is not looked at: nothing is told to the server, and what it says is only shown. */
function get(url: string): Promise<string> {
  if (!/^https?:\/\/[^\s/]/.test(url)) throw new UsageError(`${safe(url)} is no address; write it as http://127.0.0.1:8282`);
  return new Promise((resolve, reject) => {
    const options = { timeout: ANSWER_MS, agent: false as const };
    const asked = url.startsWith("https:") ? tlsRequest(url, { ...options, rejectUnauthorized: false }) : plainRequest(url, options);
    asked.on("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part)).on("end", () => resolve(text)).on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.on("error", reject);
    asked.end();
  });
}
