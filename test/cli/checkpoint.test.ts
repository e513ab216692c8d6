import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Generator } from "../match/generate.ts";
import { bruteForce, lines, login, startVespid, vespid, workFolder } from "./support.ts";

const folder = workFolder();
const options = { ...bruteForce.options, keepAlive: 600, maxSignalDuration: 3600 };
const rules = folder.write("rules.json", JSON.stringify([
  { ...bruteForce, options },
  {
    ...bruteForce, options, id: "pairs", name: "Pairs", message: "",
    queries: [{ name: "hosts", query: "source:auth", aggregation: "cardinality", groupByFields: ["host"], distinctFields: ["@usr.id"] }],
    cases: [{ name: "many", status: "low", notifications: [], condition: "hosts > 3" }],
  },
]));

/** Logins of some users over hours, failures mostly. */
function logins(count: number, seed: number): Array<Record<string, unknown>> {
  const random = new Generator(seed);
  return Array.from({ length: count }, (_, i) => login(i * 4 + random.below(40), `user-${random.below(6)}`, random.chance(0.9) ? "failure" : "success", { n: i }));
}

function newFolder(): string {
  return mkdtempSync(join(folder.path, "case-"));
}

interface Shown {
  readonly id: string;
}

/** Signals as they were told last, in the order in which they were told first. */
function told(...outputs: readonly string[]): string[] {
  const latest = new Map<string, string>();
  for (const line of outputs.join("").split("\n").filter(Boolean)) latest.set((JSON.parse(line) as Shown).id, line);
  return [...latest.values()].sort();
}

async function whole(file: string): Promise<string[]> {
  return told((await vespid(["run", "--rules", rules, "--json", file])).stdout);
}

describe("run --checkpoint", () => {
  test("goes on behind what it judged, whatever was added since", async () => {
    const work = newFolder();
    const file = join(work, "auth.ndjson");
    const events = logins(3000, 1);
    const outputs: string[] = [];
    for (const [from, to] of [[0, 700], [700, 700], [700, 2100], [2100, 3000]] as const) {
      appendFileSync(file, lines(events.slice(from, to)));
      const { code, stdout, stderr } = await vespid(["run", "--rules", rules, "--json", "--checkpoint", join(work, "state"), file]);
      expect(code).toBe(0);
      expect(stderr).toContain(`${(to - from).toLocaleString("en-US")} events`);
      expect(stderr.includes("passed over")).toBe(from > 0);
      outputs.push(stdout);
    }
    expect(outputs[1]).toBe("");
    const expected = await whole(file);
    expect(expected.length).toBeGreaterThan(10);
    expect(told(...outputs)).toEqual(expected);
  });

  test("packed files and new ones are told apart; one that was replaced is read from its start", async () => {
    const work = newFolder();
    const [first, second, third] = [logins(400, 2), logins(400, 3), logins(200, 4)];
    const run = (...inputs: readonly string[]): ReturnType<typeof vespid> => vespid(["run", "--rules", rules, "--json", "--checkpoint", "state", ...inputs], { cwd: work });
    writeFileSync(join(work, "a.gz"), gzipSync(lines(first)));
    expect((await run("a.gz")).stderr).toContain("400 events");
    writeFileSync(join(work, "b.ndjson"), lines(second));
    expect((await run("a.gz", "b.ndjson")).stderr).toMatch(/^400 events[^]*passed over/m);
    writeFileSync(join(work, "b.ndjson"), lines(third));
    expect((await run("a.gz", "b.ndjson")).stderr).toMatch(/^200 events[^]*b\.ndjson is another file than the one read before/m);
  });

  test("each run counts what it read itself, unreadable lines too", async () => {
    const work = newFolder();
    for (const part of ["{broken\n", "{broken\n{worse\n"]) {
      appendFileSync(join(work, "a.ndjson"), lines(logins(20, 12)) + part);
      const { stderr } = await vespid(["run", "--rules", rules, "--checkpoint", "state", "a.ndjson"], { cwd: work });
      expect(stderr).toMatch(new RegExp(`^20 events.*unreadable: ${part.split("\n").length - 1} not-json`, "m"));
    }
  });

  test("standard input has no place to go back to: only what is known goes on", async () => {
    const work = newFolder();
    const events = [...Array.from({ length: 11 }, (_, i) => login(i, "admin", "failure")), login(20, "admin", "success")];
    const args = ["run", "--rules", rules, "--json", "--checkpoint", join(work, "state"), "-"];
    const first = await vespid(args, { stdin: lines(events.slice(0, 10)) });
    const second = await vespid(args, { stdin: lines(events.slice(10)) });
    expect(first.stdout).toBe("");
    expect(JSON.parse(second.stdout)).toMatchObject({ case: "got in", events_matched: 12 });
  });

  test("an edited rule begins anew and says so, the other goes on", async () => {
    const work = newFolder();
    const file = join(work, "auth.ndjson");
    writeFileSync(file, lines(logins(600, 5)));
    const edited = folder.write("edited.json", JSON.stringify((JSON.parse(readFileSync(rules, "utf8")) as Array<typeof bruteForce>)
      .map((rule) => (rule.id === "pairs" ? { ...rule, cases: [{ ...rule.cases[0], condition: "hosts > 4" }] } : { ...rule, name: "Renamed", tags: ["team:one"] }))));
    await vespid(["run", "--rules", rules, "--checkpoint", join(work, "state"), file]);
    const { code, stderr } = await vespid(["run", "--rules", edited, "--checkpoint", join(work, "state"), file]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/rule pairs: saved state dropped \(\d+ signals? of its signals, 1 group of its windows\): what the rule detects has changed/);
    expect(stderr).not.toContain("brute-force");
    const { stderr: gone } = await vespid(["run", "--rules", folder.write("one.json", JSON.stringify({ ...bruteForce, options })), "--checkpoint", join(work, "state"), file]);
    expect(gone).toContain("the rule is not there any more");
  });

  test("a run killed at any moment, and while it saves, leaves a state that is whole; what comes of it is as if it had run through", async () => {
    const work = newFolder();
    const file = join(work, "auth.ndjson");
    writeFileSync(file, lines(logins(30_000, 6)));
    const random = new Generator(7);
    const args = ["run", "--rules", rules, "--json", "--workers", "0", "--checkpoint", "state", "--checkpoint-every", "0", "auth.ndjson"];
    const outputs: string[] = [];
    let saved = 0;
    for (let kills = 0; kills < 8; kills++) {
      const child = startVespid(args, work);
      child.stdin!.end();
      let output = "";
      child.stdout!.on("data", (chunk: Buffer) => (output += chunk.toString()));
      const ended = new Promise((resolve) => child.on("close", resolve));
      const state = join(work, "state", "state.vespid");
      const beforeMs = statSync(state, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      // At a moment soon after another state was put in place, or in the midst of the next.
      for (let i = 0; i < 1000 && child.exitCode === null && (statSync(state, { throwIfNoEntry: false })?.mtimeMs ?? 0) === beforeMs; i++) await sleep(2);
      await sleep(random.below(15));
      child.kill("SIGKILL");
      await ended;
      // A line may have been cut.
      outputs.push(output.slice(0, output.lastIndexOf("\n") + 1));
      if (!existsSync(state)) continue;
      saved++;
      const { code, stdout } = await vespid(["state", "inspect", "--json", "state"], { cwd: work });
      expect(code).toBe(0);
      if ((JSON.parse(stdout) as { readonly events: number }).events === 30_000) break;
    }
    expect(saved).toBeGreaterThan(0);
    const { code, stdout } = await vespid(args, { cwd: work });
    expect(code).toBe(0);
    const expected = await whole(file);
    expect(expected.length).toBeGreaterThan(100);
    expect(told(...outputs, stdout)).toEqual(expected);
    expect(readdirSync(join(work, "state"))).toEqual(["state.vespid"]);
  }, 120_000);

  test("a damaged state is refused, by run and by inspect, with its file and a way out", async () => {
    const work = newFolder();
    const file = join(work, "auth.ndjson");
    writeFileSync(file, lines(logins(300, 8)));
    const args = ["run", "--rules", rules, "--checkpoint", "state", "auth.ndjson"];
    await vespid(args, { cwd: work });
    const state = join(work, "state", "state.vespid");
    copyFileSync(state, join(work, "good"));
    const bytes = readFileSync(state);
    for (const [name, damaged, code] of [["cut", bytes.subarray(0, bytes.length - 9), "state/cut-short"], ["turned", bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 4), "state/damaged"], ["other", Buffer.from("{}"), "state/not-a-state"]] as const) {
      writeFileSync(state, damaged);
      for (const each of [await vespid(args, { cwd: work }), await vespid(["state", "inspect", "state"], { cwd: work })]) {
        expect(each.code, name).toBe(2);
        expect(each.stderr).toContain(code);
        expect(each.stderr).toContain("state.vespid");
        expect(each.stderr).toContain("hint:");
      }
      expect(readFileSync(state).equals(damaged)).toBe(true);
    }
    copyFileSync(join(work, "good"), state);
    expect((await vespid(args, { cwd: work })).code).toBe(0);
  });
});

test("state inspect lists what a state holds", async () => {
  const work = newFolder();
  writeFileSync(join(work, "auth.ndjson"), lines(logins(300, 9)));
  await vespid(["run", "--rules", rules, "--checkpoint", "state", "auth.ndjson"], { cwd: work });
  const { code, stdout } = await vespid(["state", "inspect", "state"], { cwd: work });
  expect(code).toBe(0);
  expect(stdout).toMatch(/version 1, .*300 events judged, state of 2 rules/);
  expect(stdout).toMatch(/windows +brute-force +[0-9a-f]{12} +6 /);
  const json = JSON.parse((await vespid(["state", "inspect", "--json", "state/state.vespid"], { cwd: work })).stdout) as Record<string, unknown>;
  expect(json).toMatchObject({ version: 1, events: 300, position: { command: "run", inputs: { "auth.ndjson": {} } } });
  expect((json.sections as Array<{ readonly kind: string }>).map(({ kind }) => kind)).toEqual(["flow", "engine", "recent", "windows", "windows", "signals", "signals"]);
});
