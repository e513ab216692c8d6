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
  packs.command("diff").description("a pack's rules three ways: as they ran on a server, as this program's pack has them, and what was changed of them there").argument("<name>", "the pack")
    .option("--data <folder>", "the server's data folder", "vespid-data").option("--json", "print one rule a line")
    .addHelpText("after", `${examples("vespid packs diff cloudtrail --data data/")}\n\nExit codes: 0 the pack is the one that ran, 1 it is not, 2 the folder cannot be read.`)
    .action(async (name: string, options: PacksOptions) => finish((await import("./packs-diff.ts")).packsDiff(name, options)));
  for (const [verb, decision, what] of [["enable", "activated", "its rules judge what comes"], ["disable", "deactivated", "its rules judge no more; what is stored, and changes of its rules, stay"]] as const) {
    packs.command(verb).description(`${verb} packs: ${what}`).argument("<name...>", "packs")
      .option("--data <folder>", "the server's data folder; a server that runs hears of it within a minute", "vespid-data")
      .addHelpText("after", `${examples(`vespid packs ${verb} okta --data data/`)}\n\nExit codes: 0 done, 2 there is no such pack or folder.`)
      .action(async (names: string[], options: PacksOptions) => finish((await import("./packs.ts")).decide(names, decision, options)));
  }
}

/** `vespid pipeline ...`: what packs make of logs. */
export function pipelineCommands(vespid: Command, finish: Finish): void {
  const pipeline = vespid.command("pipeline").description("test and explain what packs make of logs").addHelpText("after", examples("vespid pipeline test cloudtrail", "vespid pipeline explain nginx"));
  pipeline.command("test").description("hold what a pack's pipelines make of its samples against its golden events").argument("[pack...]", "packs; all when absent")
    .option("--json", "print one pack a line")
    .addHelpText("after", `${examples("vespid pipeline test", "vespid pipeline test linux-auth --json")}\n\nExit codes: 0 all are equal, 1 some are not, 2 there is no such pack.`)
    .action(async (names: string[], options: { readonly json?: boolean }) => finish((await import("./pipeline-test.ts")).pipelineTest(names, options)));
  pipeline.command("explain").description("the steps that logs of a source pass, which of them the kernel does, and what they cost").argument("<source>", "a source, such as nginx")
    .option("--rules <path>", "rules whose queries ask; those of the source's packs when absent; may be repeated", (value: string, before: readonly string[] = []) => [...before, value])
    .option("--json", "print it as one JSON object")
    .option("--geoip <file>", "MaxMind DB file that geo-ip parsers look addresses up in; may be repeated", (value: string, before: readonly string[] = []) => [...before, value])
    .addHelpText("after", examples("vespid pipeline explain nginx", "vespid pipeline explain cloudtrail --rules rules/ --json"))
    .action(async (source: string, options: { readonly rules?: readonly string[]; readonly json?: boolean; readonly geoip?: readonly string[] }) => finish((await import("./pipeline-explain.ts")).pipelineExplain(source, options)));
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}
