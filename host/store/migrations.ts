import type { Migration } from "./driver.ts";
import { audit } from "./migration/audit.ts";
import { beginnings } from "./migration/beginnings.ts";
import { hosts } from "./migration/hosts.ts";
import { intel } from "./migration/intel.ts";
import { jobs } from "./migration/jobs.ts";
import { jobsSensitivity } from "./migration/jobs-sensitivity.ts";
import { overview } from "./migration/overview.ts";
import { packs } from "./migration/packs.ts";
import { people } from "./migration/people.ts";
import { rules } from "./migration/rules.ts";
import { settings } from "./migration/settings.ts";
import { tables } from "./migration/tables.ts";
import { triage } from "./migration/triage.ts";
import { views } from "./migration/views.ts";

/** Every shape the tables have had, oldest first; one file each, a number each. */
export const migrations: readonly Migration[] = [
  beginnings,
  triage,
  people,
  audit,
  rules,
  settings,
  tables,
  jobs,
  views,
  packs,
  intel,
  overview,
  hosts,
  jobsSensitivity,
];
