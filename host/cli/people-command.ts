import type { Command } from "commander";
import type { KeyOptions } from "./keys.ts";
import type { AddOptions, RoleOptions, UserOptions } from "./users.ts";

type Finish = (outcome: Promise<number> | number) => Promise<void>;

/** `vespid keys` and `vespid users`, put beside the other commands. */
export function peopleCommands(vespid: Command, finish: Finish): void {
  const data = ["--data <folder>", "the server's data folder", "vespid-data"] as const;
  const json = ["--json", "print it as JSON, one a line"] as const;
  const collect = (value: string, previous: readonly string[] = []): string[] => [...previous, value];
  const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;

  const keys = vespid.command("keys").description("API keys, which let logs in, and application keys, which let people ask")
    .addHelpText("after", examples("vespid keys create web-1 --data data/", "vespid keys list --data data/"));
  keys.command("create").description("make a key and print it, this once").argument("<name>", "what it is for, such as the shipper's host")
    .option(...data).option("--application", "an application key").option("--user <address>", "whom an application key acts for; the operator when absent")
    .option("--scope <permission>", "what an application key is held to; all that its owner may when absent; may be repeated", collect).option(...json)
    .addHelpText("after", examples("DD_API_KEY=$(vespid keys create web-1 --data data/)", "vespid keys create report --application --user ann@example.com --scope security_monitoring_signals_read"))
    .action(async (name: string, options: KeyOptions) => finish((await import("./keys.ts")).keysCreate(name, options)));
  keys.command("list").description("keys by name; none is shown").option(...data).option(...json)
    .addHelpText("after", examples("vespid keys list --data data/"))
    .action(async (options: KeyOptions) => finish((await import("./keys.ts")).keysList(options)));
  keys.command("revoke").description("take a key back; a running server knows within seconds").argument("<id>", "as keys list shows it").option(...data)
    .addHelpText("after", examples("vespid keys revoke 0f8fad5b-d9cb-469f-a165-70867728950e --data data/") + "\n\nExit codes: 0 it is gone, 1 there was none, 2 the folder cannot be read.")
    .action(async (id: string, options: KeyOptions) => finish((await import("./keys.ts")).keysRevoke(id, options)));

  const users = vespid.command("users").description("who logs in, and what they may")
    .addHelpText("after", examples("vespid users password admin@localhost --data data/", "vespid users add ann@example.com --role 'Datadog Standard Role' --password --data data/"));
  const address = ["<address>", "the user's email address"] as const;
  users.command("add").description("a new user").argument(...address).option(...data).option("--name <name>", "how others know them")
    .option("--role <name>", "what they may; may be repeated", collect).option("--password", "ask for a password, or read it from standard input; without one they come in by an identity provider, or by keys").option(...json)
    .addHelpText("after", examples("vespid users add ann@example.com --name Ann --role 'Datadog Standard Role' --password", "head -1 secret.txt | vespid users add ann@example.com --password"))
    .action(async (email: string, options: AddOptions) => finish((await import("./users.ts")).usersAdd(email, options)));
  users.command("list").description("users with their roles").option(...data).option(...json)
    .addHelpText("after", examples("vespid users list --data data/"))
    .action(async (options: UserOptions) => finish((await import("./users.ts")).usersList(options)));
  for (const [verb, isActive, description] of [["disable", false, "lets a user, and all their keys and sessions, in no more; a running server knows at once"], ["enable", true, "lets a user in again"]] as const) {
    users.command(verb).description(description).argument(...address).option(...data).option(...json)
      .addHelpText("after", examples(`vespid users ${verb} ann@example.com --data data/`))
      .action(async (email: string, options: UserOptions) => finish((await import("./users.ts")).usersEnable(email, isActive, options)));
  }
  users.command("password").description("another password, asked for or read from standard input; all sessions of the user end").argument(...address).option(...data).option(...json)
    .addHelpText("after", examples("vespid users password admin@localhost --data data/"))
    .action(async (email: string, options: UserOptions) => finish((await import("./users.ts")).usersPassword(email, options)));
  users.command("roles").description("show the roles of a user, give and take them").argument(...address).option(...data)
    .option("--add <name>", "give a role; may be repeated", collect).option("--remove <name>", "take a role; may be repeated", collect).option(...json)
    .addHelpText("after", examples("vespid users roles ann@example.com --add 'Datadog Admin Role' --data data/"))
    .action(async (email: string, options: RoleOptions) => finish((await import("./users.ts")).usersRoles(email, options)));
}
