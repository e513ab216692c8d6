import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { ProblemError } from "../problem.ts";
import type { AuditFault, AuditStore } from "../store/audit.ts";
import { UsageError } from "./problems.ts";
import { count, jsonLine, plural, safe, styled, table, timeText } from "./text.ts";

const faultTexts: Readonly<Record<AuditFault, string>> = {
  changed: "it, or the one before it, was changed after it was written",
  order: "it says it is another",
  missing: "there is none of this number, though there are some behind it",
  column: "what it is found by says something else than the record does",
  end: "the trail ended here, and does not any more",
};
const HEAD = /^(\d{1,15}):([0-9a-f]{64})$/;

/** `vespid audit verify|list`: looks at the trail of a data folder, also while a server writes there. */
export function auditCommand(vespid: Command): void {
  const audit = vespid.command("audit").description("what was done by whom: is the trail whole, what is in it")
    .addHelpText("after", "\nExamples:\n  $ vespid audit verify --data data/\n  $ vespid audit list --data data/ '@asset.type:security_rule' --from now-7d");
  const end = async (outcome: Promise<number>): Promise<void> => {
    process.exitCode = await outcome;
  };
  const data = ["--data <folder>", "the server's data folder", "vespid-data"] as const;
  audit.command("verify").description("walk the chain of hashes and say what was changed, taken out or cut off").option(...data)
    .option("--head <number:hash>", "what an earlier verify printed; the record of that number must still be that one")
    .option("--json", "print the outcome as one JSON object")
    .addHelpText("after", "\nExamples:\n  $ vespid audit verify --data data/\n  $ vespid audit verify --data data/ --head 4711:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n\nExit codes: 0 all is as it was written, 1 it is not, 2 the folder cannot be read.\nWhoever can write to the database can write a new chain: keep the head elsewhere, and give it to --head.")
    .action((options: VerifyOptions) => end(auditVerify(options)));
  audit.command("list").description("print what was done, newest first").argument("[query]", "in the language of log searches", "*").option(...data)
    .option("--from <time>", "not before, such as now-7d or 2026-03-01", "now-90d").option("--to <time>", "not after", "now")
    .option("--limit <n>", "so many at most", "100").option("--json", "print one a line, whole")
    .addHelpText("after", "\nExamples:\n  $ vespid audit list --data data/ '@evt.name:\"Cloud Security Platform\"' --from now-1d\n\nExit codes: 0 done, 1 there is none, 2 the folder cannot be read or the query is not right.")
    .action((query: string, options: ListOptions) => end(auditList(query, options)));
}

interface VerifyOptions {
  readonly data: string;
  readonly head?: string;
  readonly json?: boolean;
}

interface ListOptions {
  readonly data: string;
  readonly from: string;
  readonly to: string;
  readonly limit: string;
  readonly json?: boolean;
}

async function withTrail<T>(folder: string, work: (store: AuditStore) => T | Promise<T>): Promise<T> {
  const path = join(resolve(folder), "vespid.db");
  if (!existsSync(path)) throw new UsageError(`${safe(folder)}: no server keeps its data there`);
  const [{ SqlDriver, StoreError }, { migrations }, { AuditStore: Store }] = await Promise.all([import("../store/driver.ts"), import("../store/migrations.ts"), import("../store/audit.ts")]);
  let sql: ReturnType<typeof SqlDriver.open>;
  try {
    sql = SqlDriver.open(path, migrations);
  } catch (error) {
    if (error instanceof StoreError) throw new UsageError(`${error.message} (${error.code}); ${error.hint}`);
    throw error;
  }
  try {
    return await work(new Store(sql));
  } finally {
    sql.close();
  }
}

/** `vespid audit verify`: exit code 1 when something is not as it was written. */
export async function auditVerify({ data, head: asked, json }: VerifyOptions): Promise<number> {
  const expected = asked === undefined ? undefined : HEAD.exec(asked);
  if (expected === null) throw new UsageError("--head is a number, a colon and 64 hexadecimal digits, as verify prints them");
  return await withTrail(data, (store) => {
    const { events, anchor, head, faults, faultCount } = store.check();
    const found = expected && Number(expected[1]) >= anchor.number ? store.hashOf(Number(expected[1])) : expected?.[2];
    const isOther = expected !== undefined && found !== expected[2];
    const isWhole = faultCount === 0 && !isOther;
    if (json) {
      process.stdout.write(jsonLine({ whole: isWhole, events, first: anchor.number + 1, head, faults, fault_count: faultCount, ...(expected ? { is_known_head: !isOther } : {}) }));
      return isWhole ? 0 : 1;
    }
    for (const { number, fault } of faults) process.stdout.write(`${styled("red", "CHANGED")} record ${number}: ${faultTexts[fault]}\n`);
    if (faultCount > faults.length) process.stdout.write(`and ${count(faultCount - faults.length)} more\n`);
    if (isOther) process.stdout.write(`${styled("red", "CHANGED")} record ${expected[1]} is not the one of ${expected[2]!.slice(0, 12)}...: the trail was written anew\n`);
    const before = anchor.number === 0 ? "" : `; ${count(anchor.number)} before them are over ${anchor.number === 1 ? "its" : "their"} age`;
    process.stdout.write(`${isWhole ? styled("green", "whole") : styled("red", "not whole")}: ${plural(events, "record")}${before}\nhead ${head.number}:${head.hash}\n`);
    return isWhole ? 0 : 1;
  });
}

/** `vespid audit list`: exit code 1 when there is nothing to print. */
export async function auditList(query: string, { data, from, to, limit, json }: ListOptions): Promise<number> {
  const most = Number(limit);
  if (!Number.isInteger(most) || most < 1) throw new UsageError(`--limit ${safe(limit)} is no number of records`);
  return await withTrail(data, async (store) => {
    const { AuditSearch, MOST_EVENTS } = await import("../control/audit/search.ts");
    const search = new AuditSearch(store);
    const nowMs = Date.now();
    const rows: string[][] = [];
    let found = 0;
    let cursor: string | undefined;
    do {
      let page: Awaited<ReturnType<typeof search.page>>;
      try {
        page = await search.page({ query, from, to, limit: Math.min(MOST_EVENTS, most - found), ...(cursor === undefined ? {} : { cursor }) }, undefined, nowMs);
      } catch (error) {
        if (error instanceof ProblemError) throw new UsageError(error.problems.map(({ message, hint }) => safe(hint ? `${message}; ${hint}` : message)).join("\n"));
        throw error;
      }
      for (const { number, timeMs, record, hash } of page.events) {
        if (json) process.stdout.write(jsonLine({ ...record, hash }));
        else rows.push([String(number), timeText(timeMs), safe(record.message)]);
      }
      found += page.events.length;
      cursor = page.cursor;
    } while (cursor !== undefined && found < most);
    if (!json && found) process.stdout.write(`${table(["number", "time", "what"], rows)}\n`);
    if (!json) process.stderr.write(`${plural(found, "record")}\n`);
    return found ? 0 : 1;
  });
}
