// The brute-force rule as a program written for it alone: more than ten failures of a user within five minutes, graver
// when a success lies in them too; a signal goes on while the next hit comes within the hour.
//   brute-force.mjs FILE   prints one line a signal: user, first seen, severity
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

const WINDOW_MS = 300_000;
const KEEP_ALIVE_MS = 3_600_000;
const MAX_SIGNAL_MS = 86_400_000;
const FAILURES = 10;
const SWEEP_EVERY = 100_000;

const users = new Map();
const signals = [];
let events = 0;

function drop(times, beforeMs) {
  let gone = 0;
  while (gone < times.length && times[gone] <= beforeMs) gone++;
  if (gone) times.splice(0, gone);
}

function judge(id, user, timeMs) {
  drop(user.failures, timeMs - WINDOW_MS);
  if (user.failures.length <= FAILURES) return;
  drop(user.successes, timeMs - WINDOW_MS);
  const severity = user.successes.length ? "critical" : "medium";
  const open = user.signal;
  if (open && timeMs - open.lastMs <= KEEP_ALIVE_MS && timeMs - open.firstMs < MAX_SIGNAL_MS) {
    open.lastMs = timeMs;
    if (severity === "critical") open.severity = severity;
    return;
  }
  user.signal = { id, firstMs: timeMs, lastMs: timeMs, severity };
  signals.push(user.signal);
}

/** Users unseen for the length of a window and a signal are forgotten. */
function sweep(nowMs) {
  for (const [id, user] of users) if (nowMs - user.seenMs > KEEP_ALIVE_MS + WINDOW_MS) users.delete(id);
}

const lines = createInterface({ input: createReadStream(process.argv[2], { highWaterMark: 1 << 20 }), crlfDelay: Number.POSITIVE_INFINITY });
lines.on("line", (line) => {
  const event = JSON.parse(line);
  events++;
  if (event.ddsource !== "sshd") return;
  const outcome = event.evt?.outcome;
  if (outcome !== "failure" && outcome !== "success") return;
  const id = event.usr?.id;
  if (id === undefined) return;
  let user = users.get(id);
  if (!user) users.set(id, (user = { failures: [], successes: [], signal: undefined, seenMs: 0 }));
  user.seenMs = event.timestamp;
  (outcome === "failure" ? user.failures : user.successes).push(event.timestamp);
  if (user.successes.length > 1) user.successes.shift();
  judge(id, user, event.timestamp);
  if (events % SWEEP_EVERY === 0) sweep(event.timestamp);
});
lines.on("close", () => {
  process.stdout.write(signals.map((signal) => `${signal.id} ${signal.firstMs} ${signal.severity}\n`).join(""));
});
