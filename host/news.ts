import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One release as CHANGELOG.md tells of it. */
export interface Release {
  readonly version: string;
  /** ISO date, where the heading has one. */
  readonly date?: string;
  /** What changed, one Markdown text each. */
  readonly changes: readonly string[];
}

const HEADING = /^## +\[?v?([^\]\s]+)\]?(?: *[-–(] *(\d{4}-\d{2}-\d{2})\)?)?/;

/** Releases of a changelog's text, in its order: newest first. Headings of the second level are releases, items of lists what changed. */
export function readReleases(text: string): Release[] {
  const releases: Array<{ version: string; date?: string; changes: string[] }> = [];
  for (const line of text.split("\n")) {
    const heading = HEADING.exec(line);
    const release = releases.at(-1);
    if (heading) releases.push({ version: heading[1]!, ...(heading[2] === undefined ? {} : { date: heading[2] }), changes: [] });
    else if (!release) continue;
    else if (/^[-*] /.test(line)) release.changes.push(line.slice(2).trim());
    // An item goes on in lines that stand further in.
    else if (/^ +\S/.test(line) && release.changes.length) release.changes[release.changes.length - 1] += ` ${line.trim()}`;
  }
  return releases;
}

let known: readonly Release[] | undefined;

/** Of this program: as read when it was built, or of the file in a clone. Empty where neither is there. */
export function releases(): readonly Release[] {
  return (known ??= builtReleases() ?? releasesOfClone());
}

function builtReleases(): readonly Release[] | undefined {
  const file = fileURLToPath(new URL("../releases.json", import.meta.url));
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as readonly Release[]) : undefined;
}

function releasesOfClone(): readonly Release[] {
  const file = fileURLToPath(new URL("../CHANGELOG.md", import.meta.url));
  return existsSync(file) ? readReleases(readFileSync(file, "utf8")) : [];
}
