import { Command, CommanderError } from "commander";
import { ProblemError } from "../problem.ts";
import { problemText, UsageError } from "./problems.ts";

const several = (value: string, list: string[] = []): string[] => [...list, value];

/** Exit codes: 0 good, 1 what was asked about failed, 2 bad usage or input. */
async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command("vespid")
    .description("Detection on logs: Datadog's search syntax and rules, over files, streams and in tests")
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });

  const inputs = (command: Command): Command => command
    .option("--format <format>", "auto, intake (Datadog JSON), log (envelopes), raw (any JSON object), text", "auto")
    .option("--source <name>", "source of events that name none")
    .option("--service <name>", "service of events that name none")
    .option("--host <name>", "host of events that name none")
    .option("--tag <key:value>", "tag joined to every event; may be repeated", several);

  inputs(program.command("run").description("detect over files, .gz, .zst, .arrow or stdin").argument("[inputs...]", "files, folders, globs, or - for stdin"))
    .requiredOption("--rules <path>", "rule file, folder or glob; may be repeated", several)
    .option("--workers <n>", "worker threads: 0, 1, 2 ... or auto", "auto")
    .option("--json", "one signal a line")
    .option("--out <file>", "write the signals as an Arrow IPC file")
    .option("--fail-on <severity>", "exit 1 when a signal reaches this severity")
    .option("--lateness <seconds>", "how far behind the newest event one may be", "300")
    .option("--suppressions <file>", "suppressions as JSON")
    .option("--security-filters <file>", "security filters as JSON")
    .option("--critical-assets <file>", "critical assets as JSON")
    .option("--malformed <file>", "keep records that cannot be read here")
    .option("--stats", "counters as JSON on stderr")
    .addHelpText("after", "\nExample:\n  vespid run --rules rules/ auth.ndjson cloudtrail.ndjson.gz --fail-on high\n  tail -f app.log | vespid run --rules rules/ -")
    .action(async (paths: string[], options) => {
      code = await (await import("./run.ts")).run(paths, options);
    });

  inputs(program.command("match").description("print the events a search query matches, like grep").argument("<query>").argument("[inputs...]"))
    .option("--count", "only their number")
    .option("--json", "JSON lines")
    .option("--fields <list>", "only these fields, such as @usr.id,host")
    .addHelpText("after", "\nExample:\n  vespid match 'source:auth @evt.outcome:failure -@usr.id:svc-*' auth.ndjson --fields @usr.id,@network.client.ip")
    .action(async (query: string, paths: string[], options) => {
      code = await (await import("./match.ts")).match(query, paths, options);
    });

  const query = program.command("query").description("search queries: test vectors, explanation");
  query.command("test").description("check vectors {id, query, event, match} or {id, query, error:true}").argument("<file>")
    .option("--engine <name>", "wasm, reference or both", "both").option("--json", "JSON")
    .addHelpText("after", "\nExample:\n  vespid query test vectors.jsonl --engine both")
    .action(async (file: string, options) => {
      code = await (await import("./query.ts")).queryTest(file, options);
    });
  query.command("explain").description("tree, predicates, cover and columns of a query").argument("<query>").option("--json", "JSON")
    .addHelpText("after", "\nExample:\n  vespid query explain 'source:auth @http.status_code:[500 TO 599]'")
    .action(async (text: string, options) => {
      code = (await import("./query.ts")).queryExplain(text, options);
    });

  const rules = program.command("rules").description("detection rules: validate, lint, test, explain");
  const ruleCommand = (name: string, description: string, example: string): Command =>
    rules.command(name).description(description).argument("<paths...>").option("--json", "JSON").addHelpText("after", `\nExample:\n  ${example}`);
  ruleCommand("validate", "every fault at once, with line and hint", "vespid rules validate rules/").action(async (paths: string[], options) => {
    code = await (await import("./rules.ts")).rulesValidate(paths, options);
  });
  ruleCommand("lint", "validate, and what could be better", "vespid rules lint rules/").action(async (paths: string[], options) => {
    code = await (await import("./rules.ts")).rulesValidate(paths, options, true);
  });
  ruleCommand("test", "the rules' own tests, and scenarios from .jsonl", "vespid rules test rules/ --junit report.xml")
    .option("--junit <file>", "write a JUnit report")
    .action(async (paths: string[], options) => {
      code = await (await import("./rules.ts")).rulesTest(paths, options);
    });
  ruleCommand("explain", "what each rule's queries need, and when they run", "vespid rules explain rules/").action(async (paths: string[], options) => {
    code = await (await import("./rules.ts")).rulesExplain(paths, options);
  });

  await program.parseAsync(argv as string[]);
  return code;
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader went away, as `| head` does.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

try {
  process.exitCode = await main(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  } else if (error instanceof ProblemError) {
    process.stderr.write(`${error.problems.map((problem) => problemText(problem)).join("\n")}\n`);
    process.exitCode = 2;
  } else throw error;
}
