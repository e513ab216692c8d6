import { afterEach } from "vitest";
import type { ControlContext, Setup } from "../../host/control/context.ts";
import { usualLimits, type JobLimits } from "../../host/control/jobs/runner.ts";
import { jobsRoom } from "../../host/control/jobs/room.ts";
import type { Principal } from "../../host/control/principal.ts";
import type { Journal } from "../../host/journal/journal.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { person, serveRoutes } from "./support.ts";

export const JOBS = "/api/v2/siem-historical-detections/jobs";
export const RESULTS = "/api/v2/siem-historical-detections/histsignals";

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Jobs over a journal, and nothing else of a server. */
export async function jobsOver(journal: Journal, setup: Setup, people: readonly Principal[] = [person("ann"), person("bob")], limits: Partial<JobLimits> = {}, sql = SqlDriver.open(":memory:", migrations)) {
  const told: string[] = [];
  const trail: unknown[] = [];
  const context = {
    sql, journal, signals: new SignalStore(sql), nowMs: Date.now, setup: () => setup, base: () => setup, folder: "", signalsChanged: (ids: readonly string[]) => void told.push(...ids),
    audit: { record: (who: Principal, entry: unknown) => void trail.push([who.handle, entry]) }, onFault: () => {}, refresh: async () => {},
  } as unknown as ControlContext;
  const room = jobsRoom(context, { ...usualLimits, ...limits });
  const served = await serveRoutes(room.routes, people);
  closers.push(() => room.close?.());
  const run = async (attributes: unknown, as?: string): Promise<string> => {
    const { status, body, text } = await served.ask("POST", JOBS, { data: { type: "historicalDetectionsJobCreate", attributes } }, as);
    if (status !== 201) throw new Error(`${status} ${text}`);
    return body.data.id as string;
  };
  const jobOf = async (id: string): Promise<Record<string, any>> => (await served.ask("GET", `${JOBS}/${id}`)).body.data.attributes;
  const ended = async (id: string): Promise<Record<string, any>> => {
    for (;;) {
      const job = await jobOf(id);
      if (job.jobStatus !== "pending" && job.jobStatus !== "running") return job;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { ...served, context, room, run, jobOf, ended, told, ownTrail: trail };
}
