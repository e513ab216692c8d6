import { Argument, type Command, Option } from "commander";
import type { SearchOptions } from "./search.ts";

/** `vespid search`, put beside the other commands. */
export function searchCommand(vespid: Command): void {
  const collect = (value: string, previous: readonly string[] = []): string[] => [...previous, value];
  vespid.command("search").description("search the logs a server has taken, while it goes on").addArgument(new Argument("[query]", "a log search query; everything when absent"))
    .option("--data <folder>", "the server's data folder, or the journal within", "vespid-data")
    .option("--from <time>", "event time from: now-1h, 2026-03-01T10:00:00Z, a date, seconds or milliseconds; everything kept when absent")
    .option("--to <time>", "event time before")
    .option("--limit <n>", "logs to show, at most 1000", "20")
    .addOption(new Option("--sort <order>", "by event time").choices(["newest", "oldest"]).default("newest"))
    .option("--facet <field>", "count by the values of a field, such as @evt.name; may be repeated", collect)
    .option("--histogram <width>", "count over time, such as 5m or 1h")
    .option("--count", "print how many there are, not the logs")
    .option("--cursor <text>", "go on behind a page, as it said")
    .option("--id <id>", "print one log as a rule's unit test takes it")
    .option("--all", "also what the server's search_exclusions leave out")
    .option("--json", "print one log a line, as the logs API gives it, and what was counted as one line more")
    .option("--stats", "print what the search read and was spared, on standard error")
    .option("--index", "first make the index of what has none")
    .option("--pipelines <file>", "pipelines that events pass, as the server's settings name them; may be repeated", collect)
    .option("--pack <name>", "pipelines of content packs: all, as a server has them, none, or by name", collect)
    .option("--geoip <file>", "MaxMind DB file that geo-ip parsers look addresses up in, as the server's settings name them; may be repeated", collect)
    .addHelpText("after", [
      "", "Examples:",
      "  $ vespid search 'source:auth status:error' --from now-1h",
      "  $ vespid search '@network.client.ip:203.0.113.7' --facet @evt.name --facet service --limit 0",
      "  $ vespid search --id 12-340-5 | jq '{log: ., expected: true}'",
      "", "Exit codes: 0 some log was found, 1 none was, 2 the query or folder is not right.",
    ].join("\n"))
    .action(async (query: string | undefined, options: SearchOptions) => {
      process.exitCode = await (await import("./search.ts")).search(query ?? "*", options);
    });
}
