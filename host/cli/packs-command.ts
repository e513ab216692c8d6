import type { Command } from "commander";
import type { PacksOptions } from "./packs.ts";

type Finish = (outcome: Promise<number> | number) => Promise<void>;

/** `vespid packs ...`: content packs, and what becomes of them on a server. Their code is loaded when they are called. */
export function packCommands(vespid: Command, finish: Finish): void {
  const packs = vespid.command("packs").description("content packs: rules, pipelines and guides by source").addHelpText("after", examples("vespid packs list", "vespid packs show cloudtrail", "vespid packs enable okta --data data/"));
  packs.command("list").description("packs that come along, and what no enabled pack watches")
    .option("--data <folder>", "a server's data folder: which are enabled there").option("--json", "print it as one JSON object")
    .addHelpText("after", examples("vespid packs list", "vespid packs list --data data/ --json"))
    .action(async (options: PacksOptions) => finish((await import("./packs.ts")).list(options)));
  packs.command("show").description("one pack: guide, sources, pipelines, rules with severity, techniques of ATT&CK").argument("<name>", "the pack")
    .option("--json", "print it as one JSON object")
    .addHelpText("after", examples("vespid packs show linux-auth"))
    .action(async (name: string, options: PacksOptions) => finish((await import("./packs.ts")).show(name, options)));
  packs.command("doctor").description("whether packs do what they are there for: logs, parsing, filters, rules").argument("[name...]", "packs; all that are enabled, or have logs, when absent")
    .option("--data <folder>", "the server's data folder", "vespid-data").option("--json", "print one pack a line")
    .addHelpText("after", `${examples("vespid packs doctor --data data/")}\n\nExit codes: 0 every enabled pack is active or initializing, 1 some is not, 2 the folder cannot be read.`)
    .action(async (names: string[], options: PacksOptions) => finish((await import("./packs.ts")).doctor(names, options)));
  for (const [verb, decision, what] of [["enable", "activated", "its rules judge what comes"], ["disable", "deactivated", "its rules judge no more; what is stored, and changes of its rules, stay"]] as const) {
    packs.command(verb).description(`${verb} packs: ${what}`).argument("<name...>", "packs")
      .option("--data <folder>", "the server's data folder; a server that runs hears of it within a minute", "vespid-data")
      .addHelpText("after", `${examples(`vespid packs ${verb} okta --data data/`)}\n\nExit codes: 0 done, 2 there is no such pack or folder.`)
      .action(async (names: string[], options: PacksOptions) => finish((await import("./packs.ts")).decide(names, decision, options)));
  }
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}
