import { globSync, lstatSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import type { Check, CheckResult, CheckStatus, Question, Wanted } from "./check.ts";

type Seen = Pick<CheckResult, "status" | "evidence">;

const pass = (evidence: string): Seen => ({ status: "pass", evidence });
const fail = (evidence: string): Seen => ({ status: "fail", evidence });
/** A file that is larger is none of those checks are about. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_INCLUDED = 64;
const NAMED = 3;
const SHOWN = 120;

/** A file cannot be looked at: neither passed nor failed. */
class Unseen extends Error {}

/**
 * Looks at a host by its files.
 *
 * @param root `/`, or a folder that holds a host's files: an image, a mounted disk, a test. Links that lead out of it are not followed.
 */
export function runChecks(checks: readonly Check[], root: string): CheckResult[] {
  const host = new HostFiles(root);
  return checks.map((check): CheckResult => {
    try {
      return { check, ...(answer(check.asks, host) ?? { status: check.missing, evidence: "what it looks at is not there" }) };
    } catch (error) {
      if (!(error instanceof Unseen)) throw error;
      return { check, status: "error", evidence: error.message };
    }
  });
}

/** Undefined where nothing that is asked about is there. */
function answer(asks: Question, host: HostFiles): Seen | undefined {
  switch (asks.type) {
    case "file_mode":
      return ofEach(host.find(asks.path), (path) => {
        const mode = host.facts(path).mode & 0o7777;
        const text = `${path} has mode ${mode.toString(8).padStart(4, "0")}`;
        return (mode & ~asks.most) === 0 ? pass(text) : fail(text);
      });
    case "file_owner":
      return ofEach(host.find(asks.path), (path) => {
        const { uid, gid } = host.facts(path);
        const [user, group] = [host.nameOf("passwd", uid), host.nameOf("group", gid)];
        const text = `${path} is of ${user}:${group}`;
        return (!asks.users.length || asks.users.includes(user)) && (!asks.groups.length || asks.groups.includes(group)) ? pass(text) : fail(text);
      });
    case "file_contains":
      return ofEach(host.find(asks.path), (path) => {
        const at = host.lines(path).findIndex(({ text }) => asks.pattern.test(text));
        // The line itself may hold a secret.
        const where = at < 0 ? "no line" : `line ${host.lines(path)[at]!.number}`;
        const text = `${where} of ${path} matches ${asks.pattern.source}`;
        return at < 0 === asks.lacks ? pass(text) : fail(text);
      });
    case "file_absent": {
      const found = host.find(asks.path);
      return found.length ? fail(`there is ${found.slice(0, NAMED).join(", ")}`) : pass(`there is no ${asks.path}`);
    }
    case "setting": {
      const [path] = host.find(asks.path);
      return path === undefined ? undefined : valued(asks.key, host.setting(path, asks.key) ?? asks.default, asks.wanted);
    }
    case "sshd_option": {
      const [path] = host.find("/etc/ssh/sshd_config");
      return path === undefined ? undefined : valued(asks.option, sshdOption(host, path, asks.option.toLowerCase()) ?? asks.default, asks.wanted);
    }
    case "sysctl": {
      const [path] = host.find(`/proc/sys/${asks.key.replaceAll(".", "/")}`);
      return path === undefined ? undefined : valued(asks.key, host.text(path).trim(), asks.wanted);
    }
    case "process_running": {
      const running = host.processes();
      if (!running.length) return undefined;
      const found = asks.names.find((name) => running.includes(name));
      return found === undefined ? fail(`none of ${asks.names.join(", ")} runs`) : pass(`${found} runs`);
    }
    case "mount_option": {
      const [mounts] = [...host.find("/proc/self/mounts"), ...host.find("/proc/mounts")];
      const mount = mounts === undefined ? undefined : host.lines(mounts).map(({ text }) => text.split(" ")).findLast(([, at]) => at === asks.path);
      if (!mount) return undefined;
      const text = `${asks.path} is mounted with ${mount[3]}`;
      return (mount[3] ?? "").split(",").includes(asks.option) ? pass(text) : fail(text);
    }
  }
}

/** All must pass; undefined where there is none. */
function ofEach(paths: readonly string[], look: (path: string) => Seen): Seen | undefined {
  if (!paths.length) return undefined;
  const seen = paths.map(look);
  const failed = seen.filter(({ status }) => status === "fail");
  const told = failed.length ? failed : seen;
  const status: CheckStatus = failed.length ? "fail" : "pass";
  return { status, evidence: `${told.slice(0, NAMED).map(({ evidence }) => evidence).join("; ")}${told.length > NAMED ? `; ${told.length - NAMED} more` : ""}` };
}

function valued(name: string, value: string | undefined, { is, most, least }: Wanted): Seen {
  if (value === undefined) return fail(`${name} is not set`);
  const number = Number(value);
  const isGood = is ? is.includes(value.toLowerCase()) : value.trim() !== "" && (most === undefined ? number >= least! : number <= most);
  const shown = value.length > SHOWN ? `${value.slice(0, SHOWN)}...` : value;
  return (isGood ? pass : fail)(`${name} is ${shown}`);
}

/** The first value counts, as for sshd itself; what stands below a Match is for some alone. */
function sshdOption(host: HostFiles, path: string, option: string, depth = 0): string | undefined {
  for (const { text } of host.lines(path)) {
    const [, key = "", value = ""] = /^(\w+)(?:\s*=\s*|\s+)(.*)$/.exec(text) ?? [];
    if (key.toLowerCase() === "match") return undefined;
    if (key.toLowerCase() === option) return value.replace(/^"(.*)"$/, "$1").trim();
    if (key.toLowerCase() !== "include" || depth > 1) continue;
    for (const pattern of value.split(/\s+/)) {
      for (const included of host.find(pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`).slice(0, MOST_INCLUDED)) {
        const found = sshdOption(host, included, option, depth + 1);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

/** Files of a host below its root; paths are the host's own. */
class HostFiles {
  readonly #root: string;
  readonly #lines = new Map<string, readonly Line[]>();

  constructor(root: string) {
    this.#root = realpathSync(root);
  }

  /** Paths that are there, `*` standing for any name. */
  find(pattern: string): string[] {
    if (!pattern.includes("*")) return this.#isThere(pattern) ? [pattern] : [];
    return globSync(pattern.slice(1), { cwd: this.#root }).map((path) => `/${path.replaceAll(sep, "/")}`).sort();
  }

  #isThere(path: string): boolean {
    try {
      lstatSync(join(this.#root, path));
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return false;
      throw new Unseen(`${path} cannot be looked at (${code})`);
    }
  }

  /** Where it really lies; a link out of the root is none of this host's. */
  #real(path: string): string {
    try {
      const real = realpathSync(join(this.#root, path));
      if (this.#root !== sep && real !== this.#root && !real.startsWith(`${this.#root}${sep}`)) throw new Unseen(`${path} leads out of the root`);
      return real;
    } catch (error) {
      throw error instanceof Unseen ? error : new Unseen(`${path} cannot be looked at (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  facts(path: string): { readonly mode: number; readonly uid: number; readonly gid: number } {
    return this.#look(path, (real) => statSync(real));
  }

  text(path: string): string {
    return this.#look(path, (real) => {
      if (!statSync(real).isFile()) throw new Unseen(`${path} is no file`);
      if (statSync(real).size > MOST_BYTES) throw new Unseen(`${path} is too large to be looked through`);
      return readFileSync(real, "utf8");
    });
  }

  #look<T>(path: string, look: (real: string) => T): T {
    const real = this.#real(path);
    try {
      return look(real);
    } catch (error) {
      throw error instanceof Unseen ? error : new Unseen(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  /** Those that say something, with their numbers from 1. */
  lines(path: string): readonly Line[] {
    let lines = this.#lines.get(path);
    if (!lines) {
      lines = this.text(path).split("\n").map((text, i) => ({ number: i + 1, text: text.trim() })).filter(({ text }) => text !== "" && !text.startsWith("#"));
      this.#lines.set(path, lines);
    }
    return lines;
  }

  /** `KEY value` or `key = value`; the last one counts. */
  setting(path: string, key: string): string | undefined {
    const found = this.lines(path).map(({ text }) => /^(\S+?)(?:\s*=\s*|\s+)(.*)$/.exec(text)).findLast((match) => match?.[1] === key);
    return found?.[2]?.trim();
  }

  /** The host's own name of an owner; its number where it has none. */
  nameOf(file: "passwd" | "group", id: number): string {
    const path = `/etc/${file}`;
    const line = this.#isThere(path) ? this.lines(path).map(({ text }) => text.split(":")).find((parts) => parts[2] === String(id)) : undefined;
    return line?.[0] ?? String(id);
  }

  /** Names of what runs; none where there is no /proc. */
  processes(): string[] {
    if (!this.#isThere("/proc")) return [];
    const names = this.#look("/proc", (real) => readdirSync(real)).filter((name) => /^\d+$/.test(name));
    return names.flatMap((id) => {
      try {
        return [readFileSync(join(this.#root, "proc", id, "comm"), "utf8").trim()];
      } catch {
        return []; // it has ended
      }
    });
  }
}
