import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Random } from "../../bench/random.ts";
import { bruteForce, lines, login, startMs, vespid, workFolder } from "./support.ts";

const folder = workFolder();
/** Failures in one log, the success in another: neither alone shows that somebody got in. */
const gotIn = {
  ...bruteForce, id: "got-in", name: "Got in",
  queries: [
    { name: "failed", query: "source:sshd @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] },
    { name: "passed", query: "source:cloudtrail @evt.name:ConsoleLogin", aggregation: "count", groupByFields: ["@usr.id"] },
  ],
  cases: [{ name: "got in", status: "critical", condition: "failed > 10 && passed > 0" }],
};
folder.write("rules/got-in.json", JSON.stringify(gotIn));
folder.write("rules/brute-force.json", JSON.stringify({ ...bruteForce, queries: bruteForce.queries.map((query) => ({ ...query, query: query.query.replace("source:auth", "source:sshd") })) }));

type Event = Record<string, unknown> & { readonly timestamp: number };

function sshd(second: number, user: string, outcome: "failure" | "success"): Event {
  return { ...login(second, user, outcome), timestamp: startMs + second * 1000, source: "sshd" };
}
function consoleLogin(second: number, user: string): Event {
  return { ...sshd(second, user, "success"), source: "cloudtrail", service: "cloudtrail", attributes: { evt: { name: "ConsoleLogin" }, usr: { id: user } } };
}

const HOURS = 4;
const random = new Random(11);
/** Hours of noise of other users, with a burst of each victim's inside. */
const victims = [600, 4000, 9000, 13_000];
const failures = inOrder([
  ...Array.from({ length: 1500 }, () => sshd(random.below(HOURS * 3600), `user${random.below(400)}`, random.next() < 0.5 ? "failure" : "success")),
  ...victims.flatMap((second, i) => Array.from({ length: 12 }, (_, j) => sshd(second + j * 5, `victim${i}`, "failure"))),
]);
const logins = inOrder([
  ...Array.from({ length: 1500 }, () => consoleLogin(random.below(HOURS * 3600), `other${random.below(400)}`)),
  ...victims.map((second, i) => consoleLogin(second + 90, `victim${i}`)),
]);

function inOrder(events: readonly Event[]): Event[] {
  return events.toSorted((a, b) => a.timestamp - b.timestamp);
}

folder.write("sshd.jsonl", lines(failures));
folder.write("console.jsonl", lines(logins));
folder.write("joined.jsonl", lines(inOrder([...failures, ...logins])));

interface Shown {
  readonly rule_id: string;
  readonly group: Readonly<Record<string, string>>;
  readonly first_seen: number;
  readonly events_matched: number;
}
const run = (...args: string[]) => vespid(["run", "--rules", "rules", "--json", ...args], { cwd: folder.path });
const shown = (stdout: string): Shown[] => stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Shown);
/** What a signal says, whatever the ids and the order. */
const told = (stdout: string): string[] => shown(stdout).map(({ rule_id, group, first_seen, events_matched }) => JSON.stringify([rule_id, group, first_seen, events_matched])).sort();

describe("several files", () => {
  test("[PL-06] failures in one and the login in another make one story", async () => {
    const ran = await run("sshd.jsonl", "console.jsonl");
    const found = shown(ran.stdout).filter((signal) => signal.rule_id === "got-in");
    expect(found.map((signal) => [signal.group["@usr.id"], signal.first_seen])).toEqual(victims.map((second, i) => [`victim${i}`, startMs + (second + 90) * 1000]));
    expect(ran.stderr).not.toContain("late");
  });

  test("they give what one file with the same events gives", async () => {
    const one = await run("joined.jsonl");
    expect(told((await run("sshd.jsonl", "console.jsonl")).stdout)).toEqual(told(one.stdout));
    expect(shown(one.stdout).length).toBeGreaterThan(4);
  });

  test("neither the order they are named in, nor workers, nor packing change a byte", async () => {
    folder.write("packed/console.jsonl.gz", gzipSync(lines(logins)));
    const first = await run("sshd.jsonl", "console.jsonl");
    for (const args of [["console.jsonl", "sshd.jsonl"], ["--workers", "2", "console.jsonl", "sshd.jsonl"], ["--workers", "2", "sshd.jsonl", "console.jsonl"]]) {
      expect((await run(...args)).stdout).toBe(first.stdout);
    }
    const packed = await run("packed/console.jsonl.gz", "sshd.jsonl");
    expect(packed.stdout).toBe((await run("sshd.jsonl", "packed/console.jsonl.gz")).stdout);
    expect(told(packed.stdout)).toEqual(told(first.stdout));
  });

  test("each file has its own lateness: what lags in one is not late for another's sake, and what is late is counted", async () => {
    folder.write("ahead.jsonl", lines([sshd(50_000, "z", "failure")]));
    const ran = await run("--stats", "--lateness", "60", "ahead.jsonl", "sshd.jsonl", "console.jsonl");
    const stats = JSON.parse(ran.stderr.trim().split("\n").at(-1)!) as { lateDropped: number; inputs: number };
    expect(stats).toMatchObject({ lateDropped: 0, inputs: 3 });
    // 20 failures, matched by two rules, 100 s behind, in a file whose neighbour is hours behind: late by their own file's time.
    const behind = [sshd(1000, "a", "failure"), ...Array.from({ length: 20 }, (_, i) => sshd(900 + i, "b", "failure")), sshd(1001, "a", "failure")];
    folder.write("behind.jsonl", lines(behind));
    for (const [lateness, late] of [["60", 40], ["120", 0]] as const) {
      for (const files of [["behind.jsonl", "console.jsonl"], ["console.jsonl", "behind.jsonl"]]) {
        const judged = await run("--stats", "--lateness", lateness, ...files);
        expect(JSON.parse(judged.stderr.trim().split("\n").at(-1)!)).toMatchObject({ lateDropped: late });
        expect(shown(judged.stdout).length).toBe(late ? 0 : 1);
      }
    }
  });

  test("a file that has ended holds the others' state back no longer", async () => {
    folder.write("short.jsonl", lines(failures.slice(0, 1)));
    const groups = async (...files: string[]) => JSON.parse((await run("--stats", ...files)).stderr.trim().split("\n").at(-1)!) as { groups: number; expired: number };
    const alone = await groups("sshd.jsonl");
    const beside = await groups("short.jsonl", "sshd.jsonl");
    expect(alone.expired).toBeGreaterThan(100);
    expect(beside.groups).toBe(alone.groups);
  });

  test("more files than are open at once are read in the order of their events", async () => {
    const slices = 150;
    const size = Math.ceil(failures.length / slices);
    // Named against their order in time.
    for (let i = 0; i < slices; i++) folder.write(`many/${String(slices - i).padStart(3, "0")}.jsonl`, lines(failures.slice(i * size, (i + 1) * size)));
    const ran = await run("many", "console.jsonl");
    expect(ran.code).toBe(0);
    expect(ran.stderr).not.toContain("read after others");
    expect(told(ran.stdout).filter((each) => each.includes("got-in"))).toHaveLength(victims.length);
    expect((await run("console.jsonl", "many")).stdout).toBe(ran.stdout);
  });

  test("an input that cannot be read costs only itself, and a live one follows what was recorded", async () => {
    folder.write("cut.jsonl.gz", gzipSync(lines(failures)).subarray(0, 2000));
    const live = await vespid(["run", "--rules", "rules", "--json", "--follow", "-", "console.jsonl"], { cwd: folder.path, stdin: lines(failures) });
    expect([live.code, live.stdout.includes('"event":"opened"')]).toEqual([0, true]);
    const damaged = await run("cut.jsonl.gz", "sshd.jsonl", "console.jsonl");
    expect([damaged.code, damaged.stderr.includes("cut.jsonl.gz: is cut short")]).toEqual([2, true]);
    expect(told(damaged.stdout).filter((each) => each.includes("got-in"))).toHaveLength(victims.length);
  });
});
