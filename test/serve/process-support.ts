import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

/** A folder of its own for each test that asks, all gone at the end. */
export function serveFolders(): (name: string, files: Readonly<Record<string, string>>) => string {
  const root = mkdtempSync(join(tmpdir(), "vespid-served-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  return (name, files) => {
    const folder = join(root, name);
    mkdirSync(folder);
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), content);
    }
    return folder;
  };
}

/** Settings for a quick server that asks for no key and takes any free port. */
export const settings = (more = "", rules = "rules.json"): string =>
  `data: data\nrules: [${rules}]\npack: none\nkeys_required: false\nworkers: 0\ncheckpoint_seconds: 1\nstate: 64mb\nhttp: { port: 0 }\n${more}`;

export const atConfig = (folder: string): string[] => ["--config", join(folder, "vespid.yaml")];

export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
