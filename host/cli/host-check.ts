import { existsSync, readFileSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { hostname } from "node:os";
import { join } from "node:path";
import { type CheckResult, type CheckStatus, findingOf, readChecks, runChecks } from "../compliance/index.ts";
import { contentFolder } from "../packs.ts";
import { problemText, UsageError } from "./problems.ts";
import { jsonLine, plural, safe, styled, table } from "./text.ts";

export interface HostCheckOptions {
  readonly root: string;
  readonly checks?: string;
  readonly host?: string;
  readonly only?: readonly string[];
  readonly all?: boolean;
  readonly json?: boolean;
  readonly send?: string;
}

const ANSWER_MS = 10_000;
const styles: Readonly<Record<CheckStatus, Parameters<typeof styled>[0]>> = { pass: "green", fail: "red", error: "yellow", skipped: "dim" };
const order: readonly CheckStatus[] = ["fail", "error", "pass", "skipped"];

/** The checks that come along. */
export const HOST_CHECKS = join(contentFolder(), "workload/checks/host.yaml");

/**
 * `vespid host check`: how this host, or one whose files lie below a root, is set up.
 *
 * Exit code 1 when a check fails.
 */
export async function hostCheck(options: HostCheckOptions): Promise<number> {
  if (!existsSync(options.root)) throw new UsageError(`--root ${safe(options.root)}: no such folder`);
  const checks = loadChecks(options.checks ?? HOST_CHECKS);
  const unknown = options.only?.find((id) => !checks.some((check) => check.id === id));
  if (unknown !== undefined) throw new UsageError(`--only ${safe(unknown)} is no check; there are ${checks.map(({ id }) => id).join(", ")}`);
  const host = options.host ?? hostOf(options.root);
  const results = runChecks(options.only ? checks.filter(({ id }) => options.only!.includes(id)) : checks, options.root);
  const findings = results.map((result) => findingOf(result, host, Date.now()));
  if (options.send !== undefined) await send(options.send, findings);
  if (options.json) for (const finding of findings) process.stdout.write(jsonLine(finding));
  else process.stdout.write(textOf(results, options.all === true));
  const count = (status: CheckStatus): number => results.filter((each) => each.status === status).length;
  const summary = `${host}: ${order.map((status) => `${count(status)} ${status === "fail" ? "failed" : status === "pass" ? "passed" : status === "error" ? "in error" : "skipped"}`).join(", ")}${options.send === undefined ? "" : `; ${plural(findings.length, "finding")} sent`}\n`;
  (options.json ? process.stderr : process.stdout).write(safe(summary.trimEnd()) + "\n");
  return count("fail") ? 1 : 0;
}

export function loadChecks(file: string): ReturnType<typeof readChecks>["checks"] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${safe(file)}: ${(error as Error).message}`);
  }
  const { checks, problems } = readChecks(text, file);
  if (problems.length) throw new UsageError(problems.map((problem) => problemText(problem)).join("\n"));
  return checks;
}

/** What a host below another root calls itself. */
function hostOf(root: string): string {
  const file = join(root, "etc/hostname");
  const named = root !== "/" && existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  return named === "" ? hostname() : named;
}

function textOf(results: readonly CheckResult[], isAll: boolean): string {
  const shown = results.filter(({ status }) => isAll || status === "fail" || status === "error").toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  if (!shown.length) return "";
  const rows = shown.map(({ check, status, evidence }) => [status, check.severity, check.id, check.title, safe(evidence)]);
  return `${table(["RESULT", "SEVERITY", "CHECK", "WHAT", "SEEN"], rows, (text, row, column) => (column === 0 && row >= 0 ? styled(styles[shown[row]!.status], text) : text))}\n\n`;
}

/** To a server's findings, with the key of the environment. */
async function send(url: string, findings: readonly unknown[]): Promise<void> {
  if (!/^https?:\/\/[^\s/]/.test(url)) throw new UsageError(`--send ${safe(url)} is no address; write it as http://127.0.0.1:8282`);
  const key = process.env.DD_API_KEY;
  const body = JSON.stringify(findings);
  await new Promise<void>((resolve, reject) => {
    const asked = (url.startsWith("https:") ? tlsRequest : plainRequest)(`${url.replace(/\/+$/, "")}/api/v2/security/findings`, { method: "POST", timeout: ANSWER_MS, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...(key ? { "dd-api-key": key } : {}) } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part)).on("end", () => (answer.statusCode === 202 ? resolve() : reject(new UsageError(`${safe(url)} answers ${answer.statusCode}: ${safe(text.slice(0, 300))}${answer.statusCode === 401 || answer.statusCode === 403 ? "; DD_API_KEY holds the key" : ""}`))));
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.on("error", (error) => reject(new UsageError(`${safe(url)}: ${safe(error.message)}`)));
    asked.end(body);
  });
}
