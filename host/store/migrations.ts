import type { Migration } from "./driver.ts";
import { beginnings } from "./migration/beginnings.ts";
import { people } from "./migration/people.ts";
import { tables } from "./migration/tables.ts";
import { triage } from "./migration/triage.ts";

/** Every shape the tables have had, oldest first; one file each, a number each. */
export const migrations: readonly Migration[] = [beginnings, triage, people, tables];
