import { basename } from "node:path";
import type { Readiness } from "../intake/desk.ts";
import { positionText } from "../journal/contract.ts";
import type { GeoipDatabases } from "../enrich/geoip-databases.ts";
import type { Journal } from "../journal/journal.ts";
import type { LiveDetection } from "./detection.ts";
import type { LocalInputs } from "./inputs.ts";
import { entriesBetween } from "./lag.ts";
import type { RulesNow } from "./rules-now.ts";
import type { Tee } from "./tee.ts";

const NAMED = 20;

/** What `/readyz` tells: nothing of a log, and no path. */
export function readinessOf(journal: Journal, lostEntries: number, detection: LiveDetection, rules: RulesNow, inputs: LocalInputs, tee: Tee | undefined, geoip: GeoipDatabases): Readiness {
  const { health } = journal;
  const { state, message, totalBytes, overLimitBytes } = health;
  const files = inputs.tail?.files() ?? [];
  const { found, refused } = rules;
  const quarantined = detection.quarantine.count;
  return {
    reason: state === "ok" ? undefined : "disk",
    degraded: [...(quarantined > 0 ? ["quarantine"] : []), ...(refused === undefined ? [] : ["rules"]), ...(lostEntries > 0 ? ["journal"] : []), ...(geoip.states.some(({ problem }) => problem !== undefined) ? ["geoip"] : [])],
    detail: {
      journal: {
        state, ...(message === "" ? {} : { message }), bytes: totalBytes, ...(overLimitBytes > 0 ? { over_limit_bytes: overLimitBytes } : {}), end: positionText(journal.end),
        judged: positionText(detection.given), checkpoint: positionText(detection.checkpointed), behind_checkpoint: entriesBetween(journal.segments, detection.checkpointed, journal.end), lost_entries: lostEntries,
      },
      held_bytes: detection.heldBytes, quarantined_entries: quarantined,
      rules: {
        judging: found.setup.rules.length, reloads: rules.reloads,
        ...(refused === undefined ? {} : { refused }), unproved: found.unproved.length, ...(found.unproved.length ? { unproved_ids: found.unproved.slice(0, NAMED) } : {}),
      },
      ...(inputs.tail ? { tail: { files: files.length, behind_bytes: files.reduce((sum, file) => sum + file.behindBytes, 0), unreadable: files.filter((file) => file.problem !== undefined).length } } : {}),
      geoip: geoip.states.map(({ path, inUse, problem }) => ({
        name: inUse?.name ?? basename(path), ...(inUse ? { type: inUse.type, built: new Date(inUse.builtMs).toISOString().slice(0, 10), loaded_at: new Date(inUse.loadedMs).toISOString() } : {}), ...(problem === undefined ? {} : { problem }),
      })),
      ...(tee ? { tee: { behind_entries: tee.behindEntries, ...(tee.problem === undefined ? {} : { problem: tee.problem }) } } : {}),
    },
  };
}
