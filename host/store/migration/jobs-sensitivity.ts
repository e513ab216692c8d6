import type { Migration } from "../driver.ts";

/** How loud a job's rule would be at other settings, as JSON; null where nobody asked. */
export const jobsSensitivity: Migration = {
  version: 14,
  sql: "ALTER TABLE historical_jobs ADD COLUMN sensitivity TEXT",
};
