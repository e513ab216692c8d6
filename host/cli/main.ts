import { Command, CommanderError, Option } from "commander";
import { ProblemError } from "../problem.ts";
import { historyCommand } from "./history-command.ts";
import { auditCommand } from "./audit.ts";
import { journalCommand } from "./journal.ts";
import { packageVersion } from "./package-folder.ts";
import { print, tell } from "./output.ts";
import { packCommands, pipelineCommands } from "./packs-command.ts";
import { peopleCommands } from "./people-command.ts";
import { UsageError, problemText } from "./problems.ts";
import { searchCommand } from "./search-command.ts";
import { trialCommands } from "./trial-command.ts";

/** Options of every command that reads logs. */
function inputOptions(command: Command): Command {
  return command
    .addOption(new Option("--format <format>", "how events are read").choices(["auto", "intake", "log", "raw", "syslog", "text"]).default("auto"))
    .option("--source <name>", "source of events that name none")
    .option("--service <name>", "service of events that name none")
    .option("--host <name>", "host of events that name none")
    .option("--tag <key:value>", "tag joined to every event; may be repeated", collect)
    .option("--pipelines <file>", "pipelines that events pass first, in YAML or JSON; may be repeated", collect)
    .option("--pack <name>", "pipelines of a content pack for every input; all, none, or auto: for what is found in the bytes", collect)
    .option("--threat-intel <file>", "indicators as CSV, STIX 2.1 or a list; events that hold one get @threat_intel; may be repeated", collect)
    .option("--geoip <file>", "MaxMind DB file of places or networks (.mmdb) that geo-ip parsers look addresses up in; may be repeated", collect);
}

/** Options of what stands beside the rules. */
function settingsOptions(command: Command): Command {
  return command
    .option("--settings <file>", "suppressions, security filters, critical assets and reference tables, each under its name; may be repeated", collect)
    .option("--suppressions <file>", "suppressions, a list in JSON or YAML")
    .option("--security-filters <file>", "security filters: only events they let pass are judged")
    .option("--critical-assets <file>", "critical assets, which move severities")
    .option("--reference-tables <file>", "reference tables by name, each a list of rows");
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

const INPUTS = "files, folders, globs, .gz, .zst, .arrow, or - for standard input";
const EXIT = "\nExit codes: 0 done, 1 found (what that is, each command says), 2 it could not be done.";

/**
 * The command line. Each command's code is loaded when it is called, so that help costs nothing.
 *
 * @param called the command's name, if there is one: a run need not hear of all others.
 */
function program(called: string | undefined): Command {
  const vespid = new Command("vespid")
    .description("Security monitoring that speaks Datadog Cloud SIEM's language: search syntax, detection rules, signals.")
    .version(packageVersion())
    .configureOutput({ writeOut: print, writeErr: tell })
    .showHelpAfterError("(--help shows how it is used)")
    .addHelpText("after", examples("vespid run --rules rules/ auth.log cloudtrail.ndjson.gz", "vespid match 'source:nginx @http.status_code:>=500' access.json", "vespid rules test rules/") + EXIT)
    .exitOverride();

  runCommand(vespid);
  if (called !== "run") otherCommands(vespid);
  for (const command of [vespid, ...vespid.commands, ...vespid.commands.flatMap((each) => each.commands)]) command.exitOverride();
  return vespid;
}

function runCommand(vespid: Command): void {
  settingsOptions(inputOptions(vespid.command("run").description("detect over logs: signals out").argument("[input...]", INPUTS)))
    .requiredOption("--rules <path>", "rule file, folder or glob; may be repeated", collect)
    .option("--workers <n>", "worker threads; 0: in this one", "auto")
    .option("--json", "print one signal a line, in its final state")
    .option("--follow", "print signals as they open and grow graver, and nothing at the end")
    .option("--out <file.arrow>", "write the signals as an Arrow IPC file")
    .option("--fail-on <severity>", "exit 1 when a signal is at least this grave: info, low, medium, high or critical")
    .option("--stats", "print what the engine counted, as JSON, on standard error")
    .option("--lateness <seconds>", "how far behind the newest event an event is still judged", "300")
    .option("--memory <size>", "what rules may remember, such as 512MB; 1GB each for windows, other methods and contents when absent")
    .option("--deduplicate", "leave an event out when another of the same id (id, _id, @event_id) came less than ten minutes before")
    .option("--malformed <file>", "keep lines that could not be read here")
    .option("--checkpoint <folder>", "save there what rules know and how far inputs were read, and go on behind it next time")
    .option("--checkpoint-every <seconds>", "time between two states, beside the one at the end", "30")
    .addHelpText("after", examples(
      "vespid run --rules rules/ auth.log cloudtrail.ndjson.gz",
      "vespid run --rules rules/ --checkpoint checkpoints --json logs/ >> signals.jsonl",
      "tail -f app.log | vespid run --rules rules/ --follow -",
      "vespid run --rules rules/ --json --fail-on high logs/ > signals.jsonl") +
      "\n\nExit codes: 0 done, 1 --fail-on was reached, 2 a rule or input is not right.\nFormat log is the event envelope, intake Datadog's log intake JSON, raw any JSON object a line, text and syslog lines.")
    .action(async (inputs: string[], options) => finish((await import("./run.ts")).run(inputs, options)));
}

function otherCommands(vespid: Command): void {
  inputOptions(vespid.command("match").description("print the events a search query matches, like grep").argument("<query>", "a log search query").argument("[input...]", INPUTS))
    .option("--count", "print how many there are, not the events")
    .option("--json", "print each as an event envelope (with --fields: as an object of these)")
    .option("--fields <names>", "print only these, such as @usr.id,@network.client.ip,host")
    .addHelpText("after", examples("vespid match 'service:sshd \"Failed password\"' auth.json", "vespid match --fields @usr.id,@network.client.ip '@evt.outcome:failure' logs/*.json.gz") +
      "\n\nExit codes: 0 some event matched, 1 none did, 2 the query or an input is not right.")
    .action(async (query: string, inputs: string[], options) => finish((await import("./match.ts")).match(query, inputs, options)));

  settingsOptions(inputOptions(vespid.command("backtest").description("what rules would have done over recorded logs, and stricter and milder ones").argument("[input...]", INPUTS)))
    .requiredOption("--rules <path>", "rule file, folder or glob; may be repeated", collect)
    .option("--against <input...>", "recorded logs, like the arguments", [])
    .option("--rule <id>", "only this rule, by id or name; may be repeated", collect)
    .option("--workers <n>", "worker threads; 0: in this one", "auto")
    .option("--json", "print one rule a line")
    .option("--out <file.jsonl>", "write the same as --json prints")
    .option("--top <n>", "groups shown of a rule", "10")
    .option("--fail-on <severity>", "exit 1 when a signal is at least this grave")
    .option("--max-signals <n>", "exit 1 when one rule opened more signals")
    .option("--deduplicate", "leave an event out when another of the same id came less than ten minutes before")
    .option("--lateness <seconds>", "how far behind the newest event an event is still judged", "300")
    .addHelpText("after", examples("vespid backtest --rules new.yaml --against logs/*.ndjson.gz", "vespid backtest --rules rules/ --max-signals 50 --json logs/ > backtest.jsonl") +
      "\n\nExit codes: 0 done, 1 --fail-on or --max-signals was reached, 2 a rule or input is not right.")
    .action(async (inputs: string[], options) => finish((await import("./backtest.ts")).backtest(inputs, options)));

  settingsOptions(inputOptions(vespid.command("why").description("tell what one rule made of one event: what matched, where its windows stood, what was missing")))
    .requiredOption("--rule <rule>", "file that holds the rule, or its id or name among --rules")
    .option("--rules <path>", "rule file, folder or glob; may be repeated", collect)
    .requiredOption("--event <file>", "file with the event, or - for standard input")
    .option("--nth <n>", "which event of the file", "1")
    .option("--logs <input...>", "logs around it, so that windows stand where they stood")
    .option("--deduplicate", "an event of the same id as one less than ten minutes before counts once")
    .option("--lateness <seconds>", "how far behind the newest event an event is still judged", "300")
    .option("--json", "print it as one JSON object")
    .addHelpText("after", examples("vespid why --rule new.yaml --event event.json", "vespid why --rules rules/ --rule brute-force --event auth.ndjson --nth 4711 --logs auth.ndjson") +
      "\n\nExit codes: 0 the event opened or extended a signal, 1 it did not, 2 the rule or event is not right.")
    .action(async (options) => finish((await import("./why.ts")).why(options)));

  const query = vespid.command("query").description("test and explain search queries").addHelpText("after", examples("vespid query explain '@http.status_code:[500 TO 599] -service:web-*'"));
  query.command("test").description("check recorded vectors against the engines").argument("<vectors.jsonl>", "lines {id, query, event, match} or {id, query, error: true}")
    .addOption(new Option("--engine <engine>", "which are held against the vectors").choices(["wasm", "reference", "both"]).default("both"))
    .option("--json", "print the outcome as one JSON object")
    .addHelpText("after", examples("vespid query test vectors.jsonl --engine both") + "\n\nExit codes: 0 all hold, 1 some do not, 2 the file cannot be read.")
    .action(async (file: string, options) => finish((await import("./query-test.ts")).queryTest(file, options)));
  query.command("explain").description("show how a query is read and run").argument("<query>", "a log search query")
    .option("--json", "print it as one JSON object")
    .addHelpText("after", examples("vespid query explain 'source:auth @usr.id:admin*'"))
    .action(async (text: string, options) => finish((await import("./query-explain.ts")).queryExplain(text, options)));

  const rules = vespid.command("rules").description("validate, lint, test and explain detection rules").addHelpText("after", examples("vespid rules validate rules/", "vespid rules test rules/ scenarios.jsonl --junit report.xml"));
  rules.command("validate").description("show every fault of every rule at once").argument("<path...>", "rule files, folders or globs")
    .option("--json", "print one problem a line")
    .addHelpText("after", examples("vespid rules validate rules/") + "\n\nExit codes: 0 no fault, 1 some, 2 a path cannot be read.")
    .action(async (paths: string[], options) => finish((await import("./rules-validate.ts")).validate(paths, options)));
  rules.command("lint").description("faults, and what is likely not meant").argument("<path...>", "rule files, folders or globs")
    .option("--json", "print one problem a line")
    .addHelpText("after", examples("vespid rules lint rules/") + "\n\nExit codes: 0 nothing to say, 1 some problem or warning, 2 a path cannot be read.")
    .action(async (paths: string[], options) => finish((await import("./rules-validate.ts")).lint(paths, options)));
  rules.command("test").description("run rules' own tests, and scenarios of .jsonl files").argument("<path...>", "rule files, scenario files, folders or globs")
    .option("--json", "print one test a line")
    .option("--junit <file>", "write a JUnit report")
    .option("--logs <input...>", "recorded logs to play through all rules, for what they cover")
    .option("--strict", "exit 1 also when a rule lacks a test of what must match or of what must not")
    .option("--workers <n>", "worker threads of the engine the scenarios run on", "0")
    .addHelpText("after", examples("vespid rules test rules/", "vespid rules test scenarios.jsonl --junit report.xml") + "\n\nExit codes: 0 none failed, 1 some did, 2 a rule or path is not right. Skipped tests never count as passed.")
    .action(async (paths: string[], options) => finish((await import("./rules-test.ts")).rulesTest(paths, options)));
  rules.command("explain").description("show what a rule asks for, its cover and, over a log, its cost").argument("<path...>", "rule files, folders or globs")
    .option("--over <input>", "measure over this log")
    .option("--json", "print one rule a line")
    .addHelpText("after", examples("vespid rules explain rules/ --over cloudtrail.ndjson.gz"))
    .action(async (paths: string[], options) => finish((await import("./rules-explain.ts")).rulesExplain(paths, options)));

  rules.command("export").description("rules that were made through a server's API, a line or a file each")
    .option("--data <folder>", "data folder of the server, which may run meanwhile", "data")
    .option("--out <folder>", "where the rules are written, a file each")
    .addHelpText("after", examples("vespid rules export --data data/ --out rules/", "vespid rules export --data data/ > rules.jsonl") + "\n\nExit codes: 0 done, 2 the folder cannot be read.")
    .action(async (options) => finish((await import("./rules-stored.ts")).rulesExport(options)));
  rules.command("diff").description("what rule files say otherwise than the rules that were made through a server's API").argument("<path...>", "rule files, folders or globs")
    .option("--data <folder>", "data folder of the server, which may run meanwhile", "data")
    .option("--json", "print one JSON object a rule that differs")
    .addHelpText("after", examples("vespid rules diff rules/ --data data/") + "\n\nExit codes: 0 no difference, 1 some, 2 a path cannot be read or a rule is not right.")
    .action(async (paths: string[], options) => finish((await import("./rules-stored.ts")).rulesDiff(paths, options)));
  settingsOptions(inputOptions(rules.command("report").description("what rules are worth over recorded logs: fired, never matched, noisiest, cost, coverage, false positives").argument("[input...]", INPUTS)))
    .requiredOption("--rules <path>", "rule file, folder, glob or pack:NAME; may be repeated", collect)
    .option("--against <input...>", "recorded logs, like the arguments", [])
    .option("--quiet <from..to>", "a period in which nothing bad happened: signals in it are false positives")
    .option("--max-false <n>", "exit 1 when one rule has more of them")
    .option("--no-cost", "do not measure what each rule costs")
    .option("--workers <n>", "worker threads; 0: in this one", "auto")
    .option("--lateness <seconds>", "how far behind the newest event an event is still judged", "300")
    .option("--json", "print it as one JSON object")
    .addHelpText("after", examples("vespid rules report --rules pack:cloudtrail --against logs/*.ndjson.gz", "vespid rules report --rules rules/ --quiet 2026-03-01..2026-03-02 --json logs/ > report.json") +
      "\n\nExit codes: 0 done, 1 --max-false was reached, 2 a rule or input is not right.")
    .action(async (inputs: string[], options) => finish((await import("./rules-report.ts")).rulesReport(inputs, options)));
  rules.command("import").description("make rules of other systems' rules").addHelpText("after", examples("vespid rules import sigma sigma/rules/windows --out rules/windows"))
    .command("sigma").description("rules in the Sigma format, with a report of what did not translate").argument("<path...>", "rule files, folders or globs")
    .option("--out <folder>", "where the rules are written, a file each")
    .option("--json", "print one rule a line, with what it lost")
    .addHelpText("after", examples("vespid rules import sigma sigma/rules --out rules/sigma", "vespid rules import sigma one.yml --json") + "\n\nExit codes: 0 all were translated, 1 some were not, 2 a path cannot be read.")
    .action(async (paths: string[], options) => finish((await import("./rules-import.ts")).importSigma(paths, options)));

  vespid.command("coverage").description("what of MITRE ATT&CK rules watch, by their tags")
    .option("--rules <path>", "rule file, folder, glob or pack:NAME; every pack that comes along when there is none; may be repeated", collect)
    .option("--tactic <id-or-name>", "the techniques of one tactic")
    .addOption(new Option("--density <density>", "techniques with so many rules").choices(["high", "medium", "low", "none"]))
    .option("--navigator <file>", "write a layer for MITRE's Navigator")
    .option("--json", "print it as one JSON object")
    .addHelpText("after", examples("vespid coverage --rules rules/", "vespid coverage --tactic credential-access --density none", "vespid coverage --navigator layer.json"))
    .action(async (options) => finish((await import("./coverage.ts")).coverage(options)));

  vespid.command("serve").description("take logs from shippers, judge them as they come, keep them")
    .option("--config <file>", "settings; vespid.yaml of this folder when there is one")
    .option("--data <folder>", "where journal, state and signals are kept")
    .option("--rules <path>", "rule file, folder, glob or pack:NAME, beside those of the settings; may be repeated", collect)
    .option("--listen <host:port>", "address of the HTTP inputs; 127.0.0.1:8282 by default")
    .option("--open-door", "ask senders for no key")
    .option("--strict-rules", "do not start with rules that have an error; without it those that were good before go on")
    .option("--json", "print signals as JSON, one a line")
    .addHelpText("after", examples("vespid keys create my-shipper --data data/", "vespid serve --data data/ --rules rules/ --rules pack:linux-auth",
      "curl -H 'DD-API-KEY: ...' -d '{\"message\":\"hello\",\"ddsource\":\"me\"}' http://127.0.0.1:8282/api/v2/logs") +
      "\n\nExit codes: 0 closed by SIGTERM or SIGINT, 1 it could not go on, 2 it could not start.")
    .action(async (options) => finish((await import("./serve.ts")).serve(options)));
  for (const command of [vespid.command("status"), vespid.command("agent").description("what Datadog's Agent says of itself, said of the server").command("status")]) {
    command.description("what the running server does: rules, events, inputs, journal")
      .option("--data <folder>", "the server's data folder", "vespid-data").option("--url <url>", "its address, where the folder is not at hand").option("--json", "print it as one JSON object")
      .addHelpText("after", examples("vespid status --data data/", "vespid status --url http://127.0.0.1:8282 | grep -A5 'Security Agent'") + "\n\nExit codes: 0 it answers, 1 it does not, 2 none is known.")
      .action(async (options) => finish((await import("./status.ts")).status(options)));
  }
  const report = vespid.command("report").description("what rules cover").addHelpText("after", examples("vespid report compliance --framework pci-dss"));
  report.command("compliance").description("rules by requirement of a framework, told by their tags, such as pci:10.2.4, soc2:CC6.1, hipaa:164.312(b)")
    .addOption(new Option("--framework <name>", "which").choices(["pci-dss", "soc2", "hipaa"]).makeOptionMandatory())
    .option("--rules <path>", "rule file, folder, glob or pack:NAME; all packs when absent; may be repeated", collect)
    .option("--json", "print it as one JSON object")
    .addHelpText("after", examples("vespid report compliance --framework pci-dss --rules rules/", "vespid report compliance --framework soc2 --json") + "\n\nExit codes: 0 done, 2 a rule is not right.")
    .action(async (options) => finish((await import("./report.ts")).compliance(options)));
  peopleCommands(vespid, finish);
  packCommands(vespid, finish);
  pipelineCommands(vespid, finish);
  vespid.command("backup").description("copy a data folder while its server goes on").argument("<folder>", "where the copy goes; not there yet, or empty").option("--data <folder>", "the server's data folder", "vespid-data")
    .option("--no-journal", "signals, rules, people and settings alone, without logs and what rules know of them")
    .option("--json", "print what was copied as JSON")
    .addHelpText("after", examples("vespid backup /backups/monday --data data/", "vespid serve --data /backups/monday") + "\n\nExit codes: 0 the copy is whole, 2 it could not be made.")
    .action(async (folder: string, options) => finish((await import("./backup.ts")).backup(folder, options)));
  journalCommand(vespid);
  auditCommand(vespid);
  searchCommand(vespid);
  historyCommand(vespid);
  trialCommands(vespid, inputOptions, finish);

  const state = vespid.command("state").description("saved state of detection").addHelpText("after", examples("vespid state inspect checkpoints"));
  state.command("inspect").description("show what a saved state holds, checking every part of it").argument("<path>", "the file, or the folder that run --checkpoint wrote")
    .option("--json", "print it as one JSON object")
    .addHelpText("after", examples("vespid state inspect checkpoints", "vespid state inspect --json checkpoints/state.vespid") + "\n\nExit codes: 0 it is whole, 2 it is damaged, of another version, or cannot be read.")
    .action(async (path: string, options) => finish((await import("./state-inspect.ts")).stateInspect(path, options)));

  vespid.command("bench").description("measure, each number beside its baseline (in a clone)").argument("[option...]", "handed to bench/run")
    .option("--peers", "also the programs others use for the job, where installed")
    .allowUnknownOption()
    .addHelpText("after", examples("vespid bench", "vespid bench --peers"))
    .action(async (rest: string[], options) => finish((await import("./bench.ts")).bench(rest, options)));
}

async function finish(outcome: Promise<number> | number): Promise<void> {
  process.exitCode = await outcome;
}

/** Runs one command line; answers its exit code. */
async function main(): Promise<number> {
  try {
    await program(command).parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UsageError) tell(`${error.message}\n`);
    else if (error instanceof ProblemError) tell(`${error.problems.map((problem) => problemText(problem)).join("\n")}\n`);
    else tell(`vespid: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 2;
  }
}

const command = process.argv[2];
// It prints without streams (`output.ts`).
if (command === "run") void main().then((code) => process.exit(code));
else {
  // A reader that has seen enough (`| head`) ends us quietly.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 2));
  // What was written may still be on its way to a slow reader.
  void main().then((code) => process.stdout.write("", () => process.exit(code)));
}
