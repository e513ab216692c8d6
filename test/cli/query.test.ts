import { describe, expect, test } from "vitest";
import { hasShared, sharedFolder } from "../support/shared.ts";
import { burst, lines, vespid, workFolder } from "./support.ts";

const folder = workFolder();

describe("vespid match", () => {
  folder.write("auth.jsonl", lines(burst));
  const match = (...args: string[]) => vespid(["match", ...args, "auth.jsonl"], { cwd: folder.path });

  test("[SE-01] prints matching lines as they came in, like grep", async () => {
    const ran = await match("@usr.id:carol");
    expect(ran).toEqual({ code: 0, stdout: lines(burst.slice(12)), stderr: "" });
  });

  test("exit code 1 when nothing matches, 2 when the query is not right", async () => {
    expect(await match("@usr.id:nobody")).toEqual({ code: 1, stdout: "", stderr: "" });
    const ran = await match("@usr.id:(a OR");
    expect([ran.code, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toContain("    @usr.id:(a OR\n");
    expect(ran.stderr).toContain("hint: ");
  });

  test("--count, --fields and --json", async () => {
    expect((await match("--count", "@evt.outcome:failure")).stdout).toBe("14\n");
    expect((await match("--fields", "@usr.id, host,@absent", "@evt.outcome:success")).stdout).toBe("admin\tbastion-1\t\n");
    expect((await match("--json", "--fields", "@usr.id,env,@absent", "@evt.outcome:success")).stdout).toBe('{"@usr.id":"admin","env":"prod","@absent":null}\n');
    expect(JSON.parse((await match("--json", "@evt.outcome:success")).stdout)).toEqual(burst[11]);
  });

  test("lines that cannot be read are counted, and cost only themselves", async () => {
    const ran = await vespid(["match", "--count", "*"], { stdin: `{"a":1}\n{"a":\n{"a":2}\nnull\n` });
    expect([ran.code, ran.stdout]).toEqual([0, "2\n"]);
    expect(ran.stderr).toMatch(/^unreadable: /);
  });

  test("a reader that has seen enough ends it quietly", async () => {
    const { spawn } = await import("node:child_process");
    folder.write("long.jsonl", lines(burst).repeat(5000));
    const shell = spawn("sh", ["-c", `"${process.execPath}" "${process.cwd()}/host/cli/main.ts" match '*' long.jsonl | head -n 1`], { cwd: folder.path, stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    shell.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    await new Promise((resolve) => shell.on("close", resolve));
    expect(stderr).toBe("");
  });
});

describe("vespid query", () => {
  test("[SE-01] test: vectors hold on the reference and both kernels, alone and in company", async () => {
    const event = { message: "login failed for admin", attributes: { usr: { id: "admin" } } };
    folder.write("vectors.jsonl", lines([
      { id: "v1", query: "@usr.id:adm*", event, match: true },
      { id: "v2", query: "failed -admin", event, match: false },
      { id: "v3", query: "a AND", error: true },
    ]));
    const good = await vespid(["query", "test", "vectors.jsonl"], { cwd: folder.path });
    expect(good).toEqual({ code: 0, stdout: "3 of 3 vectors hold on reference; wasm scalar, single; wasm scalar, mixed batches; wasm simd, single; wasm simd, mixed batches\n", stderr: "" });
    folder.write("wrong.jsonl", lines([{ id: "v1", query: "@usr.id:adm*", event, match: false, why: "it does" }, { id: "v2", query: "a OR b", error: true }, { id: "v3", query: "a OR", event, match: true }]));
    const wrong = await vespid(["query", "test", "--engine", "reference", "wrong.jsonl"], { cwd: folder.path });
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain("FAIL v2 (parser): a OR b: expected error, got a OR b\n");
    expect(wrong.stdout).toContain("FAIL v1 (reference): @usr.id:adm*: expected false, got true (it does)\n");
    expect(wrong.stdout).toContain("0 of 3 vectors hold on reference\n");
    const json = await vespid(["query", "test", "--json", "wrong.jsonl"], { cwd: folder.path });
    expect(JSON.parse(json.stdout)).toMatchObject({ vectors: 3, passed: 0, failed: 3 });
  });

  test.each([["absent.jsonl", undefined, "cannot be read"], ["text.jsonl", "hello\n", ":1: not a JSON line"], ["other.jsonl", '{"id":"x"}\n', ":1: a vector is"]])("test: %s", async (name, content, message) => {
    if (content !== undefined) folder.write(name, content);
    const ran = await vespid(["query", "test", name], { cwd: folder.path });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(`${name}${message.startsWith(":") ? "" : ": "}${message}`);
  });

  test.skipIf(!hasShared("conformance/search.jsonl"))("[SE-01] all search vectors hold (skipped where ../shared is absent)", async () => {
    const ran = await vespid(["query", "test", `${sharedFolder}/conformance/search.jsonl`]);
    expect(ran.stdout).toMatch(/^(\d+) of \1 vectors hold/);
    expect(ran.code).toBe(0);
  }, 60_000);

  test("explain: tree, fields, predicates and cover", async () => {
    const ran = await vespid(["query", "explain", "source:auth @usr.id:admin* -(@a:>5 OR hello)"]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^query {7}source:auth .*\ntree\n {2}and\n {4}source:auth\n {4}@usr\.id:admin\*\n {4}not\n {6}or\n/);
    expect(ran.stdout).toMatch(/\nfields {6}source, @usr\.id, @a, message,/);
    expect(ran.stdout).toMatch(/\n {2}#0 {2}whole column {3}source is "auth"\n/);
    expect(ran.stdout).toMatch(/\ncover {7}the query runs where #\d fired\n$/);
    expect(JSON.parse((await vespid(["query", "explain", "--json", "a:b"])).stdout)).toMatchObject({ query: "a:b", cover: [0], fields: ["a"] });
    expect((await vespid(["query", "explain", "(a"])).code).toBe(2);
  });
});

describe("help", () => {
  const commands = [[], ["run"], ["backtest"], ["why"], ["match"], ["query"], ["query", "test"], ["query", "explain"], ["rules"], ["rules", "validate"], ["rules", "lint"], ["rules", "test"], ["rules", "explain"], ["bench"]];
  test.each(commands.map((command) => [command.join(" "), command] as const))("vespid %s --help shows an example", async (_name, command) => {
    const ran = await vespid([...command, "--help"]);
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout).toMatch(/Examples:\n {2}\$ vespid /);
  });

  test.each([[["no-such-command"]], [["run", "--no-such-option"]], [["match"]], [[]]])("%j ends in exit code 2", async (args) => {
    const ran = await vespid(args);
    expect([ran.code, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toMatch(/Usage:|error:/);
  });
});
