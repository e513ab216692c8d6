import { type Command, Option } from "commander";
import type { HistoryOptions } from "./history.ts";

/** `vespid history`, put beside the other commands. */
export function historyCommand(vespid: Command): void {
  const collect = (value: string, previous: readonly string[] = []): string[] => [...previous, value];
  const history = vespid.command("history").description("rules over logs of the past");
  history.command("run").description("run rules over what a server has taken, or over files, of one range of time: signals out").argument("[input...]", "files, folders, globs, .gz or .zst; the journal of --data when absent")
    .option("--rules <path>", "rule file, folder or glob; may be repeated; those the server last judged by when absent", collect)
    .option("--rule <id>", "only this rule, by its id or name; may be repeated", collect)
    .option("--from <time>", "event time from: now-7d, 2026-03-01T10:00:00Z, a date, seconds or milliseconds; everything kept when absent")
    .option("--to <time>", "event time before")
    .option("--data <folder>", "the server's data folder, or the journal within", "vespid-data")
    .addOption(new Option("--index <name>", "events that are judged: logs, or what people did").choices(["main", "audit"]).default("main"))
    .option("--json", "print one signal a line, in its final state")
    .option("--out <file>", "write the signals there: an Arrow file when it is called .arrow, else one JSON object a line")
    .option("--workers <n>", "worker threads; 0: in this one", "auto")
    .option("--lateness <seconds>", "how far behind the highest event time of its source an event is still judged", "300")
    .option("--stats", "print counts as JSON on standard error")
    .addOption(new Option("--format <format>", "how events of files are read").choices(["auto", "intake", "log", "raw", "syslog", "text"]).default("auto"))
    .option("--pipelines <file>", "pipelines that events pass first; may be repeated", collect)
    .option("--pack <name>", "pipelines of content packs: all, as a server has them, none, auto, or by name", collect)
    .option("--geoip <file>", "MaxMind DB file that geo-ip parsers look addresses up in, as the server's settings name them; may be repeated", collect)
    .option("--settings <file>", "suppressions, security filters, critical assets and reference tables; may be repeated", collect)
    .addHelpText("after", [
      "", "Examples:",
      "  $ vespid history run --rules rules/ --from now-7d",
      "  $ vespid history run --rule abc-def-ghi --from 2026-03-01 --to 2026-03-02 --data /var/lib/vespid --json",
      "  $ vespid history run --rules rules/ --from 2026-03-01T10:00:00Z archive/*.ndjson.gz --out signals.arrow",
      "", "Exit codes: 0 done, 2 it could not be done, or not to its end.",
    ].join("\n"))
    .action(async (inputs: string[], options: HistoryOptions) => {
      process.exitCode = await (await import("./history.ts")).historyRun(inputs, options);
    });
}
