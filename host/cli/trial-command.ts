import type { Command } from "commander";

const collect = (value: string, previous: readonly string[] = []): string[] => [...previous, value];
const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;

/** Commands that try the product itself: rules against recorded attacks, and all of it against what it promises. */
export function trialCommands(vespid: Command, inputOptions: (command: Command) => Command, finish: (outcome: Promise<number>) => Promise<void>): void {
  inputOptions(vespid.command("replay").description("recorded emulations of attacks, each alone: which are told, and by what rule").argument("[emulation...]", "files, folders or globs, an emulation each: one record a line, or a list of JSON"))
    .requiredOption("--rules <path>", "rule file, folder, glob or pack:NAME; may be repeated", collect)
    .option("--techniques <file>", "a list that says which lines of which file are which technique, and its ATT&CK id")
    .option("--json", "print one emulation a line")
    .addHelpText("after", examples("vespid replay --rules pack:cloudtrail fixtures/emulations", "vespid replay --rules pack:cloudtrail --techniques detonations/techniques.json", "vespid replay --rules pack:cloudtrail --json stratus/*.json") +
      "\n\nExit codes: 0 each is told by a rule, 1 one is not, 2 a rule or an input is not right.")
    .action(async (inputs: string[], options) => finish((await import("./replay.ts")).replay(inputs, options)));

  const host = vespid.command("host").description("how hosts are set up").addHelpText("after", examples("vespid host check", "vespid host check --root /mnt/image --all"));
  host.command("check").description("look at this host's files, modes, settings and what runs, by checks in the manner of the CIS benchmarks")
    .option("--root <folder>", "below which the host's files lie", "/")
    .option("--checks <file>", "checks of one's own, a list in YAML; those that come along when absent")
    .option("--only <id>", "this check alone; may be repeated", collect)
    .option("--host <name>", "what the host is called; its own name when absent")
    .option("--all", "show those that passed or were skipped, too")
    .option("--json", "print one finding a line, as POST /api/v2/security/findings takes it")
    .option("--send <url>", "hand the findings to a server; DD_API_KEY holds the key")
    .addHelpText("after", examples("vespid host check --all", "vespid host check --send https://siem.example.com", "vespid host check --root /mnt/image --json") + "\n\nExit codes: 0 none failed, 1 one failed, 2 it could not be looked at.")
    .action(async (options) => finish((await import("./host-check.ts")).hostCheck(options)));

  vespid.command("verify").description("try the checklist of what is to work end to end, on a whole server of its own with made logs; nothing of yours is touched")
    .option("--json", "print one step a line")
    .addHelpText("after", examples("vespid verify", "vespid verify --json") + "\n\nExit codes: 0 all that is here passes, 1 something does not, 2 it could not be tried.")
    .action(async (options) => finish((await import("./trial/verify.ts")).verify(options)));

  vespid.command("demo").description("a targeted attack, a known bad address and an insecure configuration, from logs to signals on a server of its own")
    .option("--json", "print one of them a line")
    .addHelpText("after", examples("vespid demo") + "\n\nExit codes: 0 each is told, 1 one is not, 2 it could not be played.")
    .action(async (options) => finish((await import("./trial/demo.ts")).demo(options)));
}
