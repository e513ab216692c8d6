import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { availableParallelism } from "node:os";
import type { RestoredState } from "../index.ts";
import { positionText } from "../journal/contract.ts";
import { JournalError } from "../journal/error.ts";
import { type ServeConfig, readConfig } from "../serve/config.ts";
import { QUARANTINE_FOLDER } from "../serve/quarantine.ts";
import { type FoundRules, type GoodRules, VespidServer } from "../serve/server.ts";
import { StoreError } from "../store/driver.ts";
import { idleRules } from "../rule/standing.ts";
import { droppedTexts } from "./checkpoint.ts";
import { endOnErrors, ruleProblemTexts } from "./load-rules.ts";
import { packageFolder, packageVersion } from "./package-folder.ts";
import { UsageError, problemText } from "./problems.ts";
import { warnOfIdle } from "./run.ts";
import { keepExclusions } from "./search.ts";
import { ServedRules } from "./served-rules.ts";
import { Announcer } from "./signals.ts";
import { forgetRunning, keepRunning } from "./status.ts";
import { count, plural, safe, styled } from "./text.ts";

export interface ServeOptions {
  readonly config?: string;
  readonly data?: string;
  readonly rules?: readonly string[];
  readonly listen?: string;
  readonly openDoor?: boolean;
  readonly strictRules?: boolean;
  readonly json?: boolean;
}

const CONFIG_FILE = "vespid.yaml";
const NAMED_UNPROVED = 3;

/** `vespid serve`: intake, journal, detection and store, until SIGTERM or SIGINT. */
export async function serve(options: ServeOptions): Promise<number> {
  const config = await configOf(options);
  const rules = new ServedRules(config);
  const found = await startingRules(rules, config.strictRules);
  warnOfIdle(found.setup.rules as never);
  const announcer = new Announcer(options.json === true);
  const workers = config.workers === "auto" ? Math.max(1, availableParallelism() - 1) : config.workers;
  let fault: unknown;
  const server = await VespidServer.start({ ...config, workers }, rules, found, {
    onSignal: (event) => announcer.hear(event),
    onReplay: (entries) => note(`replaying the journal: ${count(entries)} batches`),
    onRules: (now, restored) => {
      try {
        if (now.setup) rules.keep(Date.now());
      } catch (error) {
        note(`${styled("yellow", "warning", process.stderr)} these rules could not be kept for a restart: ${safe((error as Error).message)}`);
      }
      void tellRules(now, restored);
    },
    onProblems: (problems) => problems.forEach((problem) => note(problemText(problem, undefined, process.stderr))),
    onDamage: ({ segment, offset, bytes, entries }) => note(`${styled("red", "damage", process.stderr)} in the journal, segment ${segment}: ${count(bytes)} bytes from ${offset} on cannot be read${entries === undefined ? "" : `, ${plural(entries, "batch", "batches")} lost`}; vespid journal verify tells more`),
    onSetAside: (position, reason) => note(`${styled("red", "set aside", process.stderr)}: batch ${positionText(position)} of the journal is not judged, because detection failed on it each time; it lies in ${join(config.data, QUARANTINE_FOLDER)}: ${safe(reason.split("\n")[0]!)}`),
    onTee: (problem) => note(problem === undefined ? "the other intake takes logs again" : `${styled("yellow", "warning", process.stderr)} ${problem}; what comes is kept for it`),
    onFault: (where, error) => {
      fault = error;
      note(`${styled("red", "fault", process.stderr)} in ${where}: ${safe((error as Error)?.stack ?? String(error))}`);
    },
  }, packageVersion(), join(packageFolder(), "dist/web")).catch((error: unknown) => {
    throw knownError(error) ?? error;
  });
  const scheme = config.http.tls ? "https" : "http";
  tellOthers(config, () => {
    keepExclusions(config.data, config.searchExclusions);
    keepRunning(config.data, scheme, server.address);
  });
  // Before anybody is told that it serves: until here an end by force is as good as any.
  const ending = new Promise<boolean>((done) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => done(false));
    void server.ended.then(() => done(true));
  });
  note(`taking logs at ${styled("bold", `${scheme}://${server.address.host}:${server.address.port}`, process.stderr)}${server.lineAddresses.map(({ protocol, host, port }) => `, ${protocol}://${host}:${port}`).join("")}${server.followed ? `, from ${plural(server.followed, "file")}` : ""}; data in ${config.data}`);
  if (config.keysRequired && server.keys.count === 0) note(`${styled("yellow", "warning", process.stderr)} no API key exists, so nobody can send yet; make one: vespid keys create NAME --data ${config.data}`);
  if (!config.keysRequired) note(`${styled("yellow", "warning", process.stderr)} keys are not asked for: whoever reaches the address can send`);
  const failed = await ending;
  note("closing: no more is taken, what was taken is judged");
  tellOthers(config, () => forgetRunning(config.data));
  await server.close();
  const { events, signals } = server.lastStats!;
  note(`closed: ${plural(events, "event")} judged, ${plural(signals, "signal")}`);
  return failed && fault !== undefined ? 1 : 0;
}

/** Leaves word for other commands. A full disk is no reason not to serve. */
function tellOthers({ data }: ServeConfig, write: () => void): void {
  try {
    write();
  } catch (error) {
    note(`${styled("yellow", "warning", process.stderr)} vespid status and vespid search cannot be told of this server in ${data}: ${safe((error as Error).message)}`);
  }
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Errors whose words are enough. */
function knownError(error: unknown): UsageError | undefined {
  if (error instanceof JournalError || error instanceof StoreError) return new UsageError(`${error.message} (${error.code}); ${error.hint}`);
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall === "listen" || syscall === "bind") return new UsageError(`cannot listen on ${address ?? ""}:${port ?? ""}: ${code === "EADDRINUSE" ? "something else does already" : code === "EACCES" ? "the system does not allow it" : code}; choose another address in the settings`);
  return undefined;
}

async function configOf(options: ServeOptions): Promise<ServeConfig> {
  const file = options.config ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined);
  let text = "{}";
  try {
    if (file !== undefined) text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  const { config, problems } = readConfig(text, file ?? "vespid.json", dirname(resolve(file ?? CONFIG_FILE)));
  await endOnErrors(problems, "in the settings; nothing was started");
  const [, host, port] = options.listen === undefined ? [] : (/^(?:(.+):)?(\d{1,5})$/.exec(options.listen) ?? []);
  if (options.listen !== undefined && port === undefined) throw new UsageError(`--listen ${options.listen} is no address; write 127.0.0.1:8282, or the port alone`);
  return {
    ...config,
    data: options.data === undefined ? config.data : resolve(options.data),
    rules: [...config.rules, ...(options.rules ?? [])],
    strictRules: options.strictRules || config.strictRules,
    keysRequired: options.openDoor ? false : config.keysRequired,
    http: { ...config.http, ...(host === undefined ? {} : { host: host.replace(/^\[|\]$/g, "") }), ...(port === undefined ? {} : { port: Number(port) }) },
  };
}

/** The rules on disk; with errors in them the last good set. Throws a UsageError with all errors where there is none, or none is wanted. */
async function startingRules(rules: ServedRules, isStrict: boolean): Promise<GoodRules> {
  const found = await rules.load();
  if (found.setup) return { ...found, setup: found.setup };
  const errors = found.problems.filter(({ level }) => level !== "warning");
  const good = isStrict ? undefined : await rules.lastGood();
  if (!good?.found.setup) await endOnErrors(errors, "in the rules or what stands beside them; nothing was started");
  for (const text of await ruleProblemTexts(errors, process.stderr)) note(text);
  const { found: last, keptAt } = good!;
  note(`${styled("red", "refused", process.stderr)}: ${plural(errors.length, "error")} in the rules or what stands beside them; those that were good judge, of ${safe(keptAt)}; --strict-rules would not start`);
  return { ...last, setup: last.setup!, refused: `${errors[0]!.code}; the last good rules judge` };
}

async function tellRules({ setup, problems, unproved }: FoundRules, restored: RestoredState | undefined): Promise<void> {
  for (const text of await ruleProblemTexts(problems, process.stderr)) note(text);
  if (!setup) return note(`${styled("red", "refused", process.stderr)}: the rules on disk have errors; those from before go on judging`);
  const rules = setup.rules as never[];
  note(`${plural(rules.length, "rule")} ${rules.length === 1 ? "judges" : "judge"}${idleRules(rules).length ? `, ${idleRules(rules).length} of them idle` : ""}`);
  if (unproved.length) {
    const named = unproved.slice(0, NAMED_UNPROVED).map(safe).join(", ");
    note(`${styled("yellow", "warning", process.stderr)} ${plural(unproved.length, "rule")} without a sample log that shows ${unproved.length === 1 ? "it" : "they"} can fire: ${named}${unproved.length > NAMED_UNPROVED ? " ..." : ""}`);
  }
  for (const text of restored ? droppedTexts(restored) : []) note(text);
}
