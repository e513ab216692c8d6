import { closeSync, openSync, writeSync } from "node:fs";
import { Random } from "./random.ts";

const CHUNK_CHARS = 1 << 20;
const START_MS = Date.parse("2026-01-10T00:00:00Z");
const USERS = 5000;
/** One attack in so many events. */
const ATTACK_EVERY = 4000;
const agents = ["OpenSSH_9.6p1 Ubuntu-3ubuntu13", "OpenSSH_8.9p1 Debian-5", "libssh2_1.11.0", "paramiko_3.4.0"];

export interface AuthLog {
  /** The log in pieces of about a megabyte, whole lines each. */
  readonly chunks: Iterable<string>;
  /** Events so far; all of them once the chunks were read. */
  readonly events: number;
}

interface Login {
  readonly timeMs: number;
  readonly user: string;
  readonly failed: boolean;
}

/** Logins of many users in the order of time, some failing, and planted attacks: bursts of failures, every other with a success after it. */
export class AuthLogs implements AuthLog {
  events = 0;
  readonly #bytes: number;
  readonly #random: Random;
  readonly #planted: Login[] = [];
  #timeMs = START_MS;

  constructor(bytes: number, seed = 1) {
    this.#bytes = bytes;
    this.#random = new Random(seed);
  }

  get chunks(): Iterable<string> {
    return this.#chunks();
  }

  *#chunks(): Generator<string> {
    let chunk = "";
    for (let size = 0; size < this.#bytes; ) {
      const line = this.#line(this.#next());
      this.events++;
      size += line.length;
      chunk += line;
      if (chunk.length < CHUNK_CHARS) continue;
      yield chunk;
      chunk = "";
    }
    if (chunk) yield chunk;
  }

  #next(): Login {
    const r = this.#random;
    const planted = this.#planted[0];
    if (planted && planted.timeMs <= this.#timeMs) return this.#planted.shift()!;
    if (this.events % ATTACK_EVERY === ATTACK_EVERY - 1) this.#attack(`victim${this.events / ATTACK_EVERY | 0}`);
    this.#timeMs += r.below(100);
    return { timeMs: this.#timeMs, user: `user${r.below(USERS).toString(36)}`, failed: r.next() < 0.1 };
  }

  #attack(user: string): void {
    const failures = 11 + this.#random.below(20);
    const gapMs = 500 + this.#random.below(5000);
    for (let i = 0; i < failures; i++) this.#planted.push({ timeMs: this.#timeMs + i * gapMs, user, failed: true });
    if (this.#random.next() < 0.5) this.#planted.push({ timeMs: this.#timeMs + failures * gapMs, user, failed: false });
    this.#planted.sort((a, b) => a.timeMs - b.timeMs);
  }

  #line({ timeMs, user, failed }: Login): string {
    const r = this.#random;
    const ip = `${1 + r.below(223)}.${r.below(256)}.${r.below(256)}.${r.below(256)}`;
    const port = 1024 + r.below(60_000);
    return `${JSON.stringify({
      ddsource: "sshd", service: "sshd", hostname: `bastion-${r.below(40)}.eu-west-1.internal`, ddtags: `env:prod,team:${r.pick(["core", "data", "web"])},region:eu-west-1`, timestamp: timeMs, status: failed ? "warn" : "info",
      message: `${failed ? "Failed" : "Accepted"} password for ${user} from ${ip} port ${port} ssh2`, evt: { name: "authentication", outcome: failed ? "failure" : "success" }, usr: { id: user, name: `${user} of the ${r.pick(["blue", "green", "red"])} team` },
      network: { client: { ip, port, geoip: { country: { iso_code: r.pick(["DE", "FR", "US", "BR", "IN"]) } } } }, process: { name: "sshd", pid: r.below(32_768) }, ssh: { client: r.pick(agents), session: r.hex(16), method: "password" },
    })}\n`;
  }
}

export function writeChunks(file: string, chunks: Iterable<string>): void {
  const descriptor = openSync(file, "w");
  for (const chunk of chunks) writeSync(descriptor, chunk);
  closeSync(descriptor);
}

/** Failures of four addresses, five milliseconds apart, each for one of so many users. */
export function* sprayLines(users: number, bytes: number): Generator<string> {
  const random = new Random(users);
  let timeMs = START_MS;
  for (let size = 0; size < bytes; ) {
    let chunk = "";
    while (chunk.length < CHUNK_CHARS) {
      timeMs += 5;
      chunk += `${JSON.stringify({ ddsource: "sshd", timestamp: timeMs, evt: { name: "login", outcome: "failure" }, usr: { id: `user-${String(random.below(users)).padStart(7, "0")}` }, network: { client: { ip: `203.0.113.${random.below(4)}` } } })}\n`;
    }
    size += chunk.length;
    yield chunk;
  }
}
