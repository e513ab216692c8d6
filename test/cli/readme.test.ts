import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadKernel, variants } from "../support/wasm.ts";
import { root, vespid } from "./support.ts";

beforeAll(() => variants.forEach((variant) => loadKernel(variant)), 240_000);

const readme = readFileSync(join(root, "README.md"), "utf8");
/** Commands of these are shown with what they print; others print times. */
const shown = [...readme.matchAll(/^```text\n\$ vespid ((?:backtest|why|rules test|rules explain|run --threat-intel) .*)\n([^]*?)^```$/gm)].map(([, command, output]) => [command!, output!] as const);

describe("the README shows what the commands print", () => {
  test("of each command that it shows", () => expect(shown.map(([command]) => command.split(" -")[0]!.replace(/ fixtures.*/, ""))).toEqual(["backtest", "why", "rules test", "rules explain", "run"]));

  test.each(shown)("vespid %s", async (command, output) => {
    expect((await vespid(command.split(" "), { cwd: root })).stdout).toBe(output);
  });
});
