import type { InputProfile } from "../../host/engine/task.ts";
import type { JournalEntry } from "../../host/journal/contract.ts";
import { type Dice, startMs } from "./support.ts";

const users = ["deploy", "root", "alice", "Bob", "svc-backup", "zoë", "\u212aelvin", "\u0130zmir", "o'brien", "admin", "x", "4711", "0x1f", "user_name"];
const addresses = ["203.0.113.7", "198.51.100.23", "10.0.0.1", "2001:db8::7", "2001:0DB8:0:0::9", "::ffff:203.0.113.7", "192.0.2.255"];
const sources = ["auth", "nginx", "cloudtrail", "app", "win"];
const words = ["Failed", "password", "accepted", "session", "opened", "ERROR", "timeout", "naïve", "données", "v1.2.3.4", "1 2 3 4", "C:\\new\\table", "tab\there", "a\nline", "\u2028", "<b>&amp;</b>", "path/to/file", "9e3", "日本語", "end."];
const tags = ["env:prod", "Env: Staging", "team:a,b", "9lives", "version:1.2.3", "region:eu-west-1", `long:${"y".repeat(220)}end`, "plain"];
const numbers = ["1", "500", "500.0", "5e2", "0.125", "1e21", "12345678901234567890", "-7", "4711", "4.711e3", "1e-7"];

/** Records as senders make them, hostile ones among them; each line is a text that may or may not be JSON. */
export function randomLine(dice: Dice, timeMs: number): string {
  const text = (): string => Array.from({ length: 1 + dice.below(5) }, () => dice.of([...words, ...users, ...addresses])).join(dice.of([" ", " ", "_", ":", "\n"]));
  const members: string[] = [];
  const put = (name: string, json: string): void => {
    members.push(`${JSON.stringify(name)}:${json}`);
  };
  const chance = (share: number): boolean => dice.next() < share;
  if (chance(0.9)) put(dice.of(["timestamp", "@timestamp", "date"]), dice.of([String(timeMs), JSON.stringify(new Date(timeMs).toISOString()), `"${timeMs / 1000}"`]));
  if (chance(0.7)) put("ddsource", JSON.stringify(dice.of(sources)));
  if (chance(0.6)) put("message", JSON.stringify(chance(0.2) ? JSON.stringify({ inner: { text: text(), user: dice.of(users) }, message: text() }) : text()));
  if (chance(0.5)) put("status", JSON.stringify(dice.of(["info", "err", "WARN", 3, "ok"])));
  if (chance(0.5)) put("usr", JSON.stringify({ id: chance(0.3) ? [dice.of(users), dice.of(users)] : dice.of(users) }));
  if (chance(0.4)) put("network", JSON.stringify({ client: { ip: dice.of(addresses) } }));
  if (chance(0.4)) put("http", `{"status_code":${dice.of(numbers)}}`);
  if (chance(0.4)) put("ddtags", JSON.stringify(chance(0.5) ? dice.of(tags) : `${dice.of(tags)},${dice.of(tags)}`));
  if (chance(0.3)) put("hostname", JSON.stringify(`web-${dice.below(4)}`));
  if (chance(0.3)) put("service", JSON.stringify(dice.of(["api", "sshd", "web-frontend"])));
  if (chance(0.2)) put("error", JSON.stringify({ message: text(), stack: text() }));
  if (chance(0.2)) put("evt", JSON.stringify({ name: dice.of(["login", "logout", "Cloud Security Platform"]), outcome: dice.of(["success", "failure"]) }));
  if (chance(0.05)) put("spelled", `"${[..."deploy"].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"`);
  if (chance(0.1)) put("seen", JSON.stringify(timeMs - dice.below(7_200_000)));
  if (chance(0.1)) put("html", '"\\u003cdeploy\\u003e 1\\u00a02\\u00a03\\u00a04 \\/root\\/x"');
  if (chance(0.02)) return "{ no json";
  if (chance(0.02)) return "";
  return `{${members.join(",")}}`;
}

const sshd = ["Failed password for root from 203.0.113.7 port 22 ssh2", "Accepted publickey for deploy from 198.51.100.23 port 40022 ssh2", "Invalid user x from 10.0.0.1 port 1"];

export function randomEntry(dice: Dice, step: number): JournalEntry {
  const arrivalMs = startMs + step * 1000;
  const partition = dice.of(["a", "b", "\u0000clock"]);
  if (partition === "\u0000clock") return { profile: { format: "log" }, partition, arrivalMs, bytes: new Uint8Array() };
  const count = 1 + dice.below(6);
  if (dice.next() < 0.2) {
    const profile: InputProfile = dice.of([{ format: "syslog", source: "auth" }, { format: "text", source: "app", tags: ["env:prod"] }, { format: "syslog" }]);
    const text = Array.from({ length: count }, () => `<${dice.below(190)}>Mar  1 1${dice.below(6)}:0${dice.below(10)}:00 web-${dice.below(4)} sshd[${dice.below(9999)}]: ${dice.of(sshd)}`).join("\n");
    return { profile, partition, arrivalMs, bytes: Buffer.from(`${text}\n`) };
  }
  // Some come late, some from a clock that is ahead.
  const text = Array.from({ length: count }, () => randomLine(dice, arrivalMs + dice.of([0, 0, -1000, -dice.below(60_000), -3_600_000, 900_000]))).join("\n");
  const profile: InputProfile = dice.of([{ format: "intake" }, { format: "intake", clampAheadMs: 600_000 }, { format: "intake", source: "app", service: "api", host: "web-9", tags: ["Team:Blue", "env:prod"] }, { format: "raw" }]);
  return { profile, partition, arrivalMs, bytes: Buffer.from(`${text}\n`) };
}

const values = [...users, ...addresses, ...numbers, "web-1", "api", "sshd", "prod", "staging", "a", "blue", "1.2.3.4", "login", "failure", "Cloud Security Platform", "nothing-has-this", "root@nowhere"];
const names = ["", "", "*:", "source:", "service:", "host:", "status:", "message:", "@usr.id:", "@network.client.ip:", "@network.ip.list:", "@http.status_code:", "@evt.name:", "@inner.user:", "@spelled:", "@html:", "env:", "team:", "version:", "tags:", "@error.message:", "@usr.name:", "@kind:", "@built:", "@moved.id:", "trace_id:"];

const fitting: Readonly<Record<string, readonly string[]>> = {
  "": words, "*:": [...words, ...users], "message:": words, "source:": sources, "service:": ["api", "sshd", "web-frontend"], "host:": ["web-1", "web-2", "web-9"], "status:": ["error", "info", "warn"],
  "@usr.id:": users, "@usr.name:": ["root", "deploy", "x"], "@moved.id:": [...users, "login"], "@network.client.ip:": addresses, "@network.ip.list:": addresses, "@http.status_code:": numbers,
  "@evt.name:": ["login", "Cloud Security Platform"], "@built:": ["madefailure", "madesuccess", "500blue"], "@kind:": ["admin", "4711"], "env:": ["prod", "_staging", "blue"], "team:": ["a", "blue"], "version:": ["1.2.3"], "tags:": ["lives", "plain", "env:prod"],
};

/** A query text that parses. */
export function randomQuery(dice: Dice, depth = 0): string {
  const pick = dice.next();
  if (depth < 3 && pick < 0.15) return `(${randomQuery(dice, depth + 1)} OR ${randomQuery(dice, depth + 1)})`;
  if (depth < 3 && pick < 0.3) return `(${randomQuery(dice, depth + 1)} ${randomQuery(dice, depth + 1)})`;
  if (depth < 3 && pick < 0.38) return `-${randomQuery(dice, 3)}`;
  if (pick < 0.42) return "*";
  const name = dice.of(names);
  // Half of them ask a field for something it may well hold.
  const value = dice.of((dice.next() < 0.5 ? fitting[name] : undefined) ?? [...values, ...sources, ...words]);
  const how = dice.next();
  const escaped = value.replace(/[^\p{L}\p{N}_.-]|^-/gu, (character) => (/\s/.test(character) ? "?" : `\\${character}`));
  if (how < 0.15) return `${name}${escaped.slice(0, 2 + dice.below(escaped.length)).replace(/\\$/, "")}*`;
  if (how < 0.2) return `${name}*${escaped}`;
  if (how < 0.25 && name !== "" && name !== "*:") return `${name}*`;
  if (how < 0.3 && name.startsWith("@")) return `${name}${dice.of([">", ">=", "<"])}${dice.below(600)}`;
  return `${name}"${value.replace(/[\\"]/g, "\\$&")}"`;
}
