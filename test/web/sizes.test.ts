import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../../dist/web");
/** What the first view may take of a network, packed by gzip. */
const FIRST_VIEW_BYTES = 200 * 1024;

interface Size {
  readonly bytes: number;
  readonly gzip: number;
}

/** Files that a first view of a page asks for: what index.html names, and what the page's own part imports. */
function filesOf(page: string, sizes: Readonly<Record<string, Size>>): string[] {
  const found = new Set<string>();
  const add = (name: string): void => {
    if (found.has(name) || !sizes[name]) return;
    found.add(name);
    if (name.endsWith(".js")) for (const [, other] of readFileSync(join(folder, name), "utf8").matchAll(/(?:from|import)\s*["']\.\/([\w.-]+)["']/g)) add(other!);
  };
  add("index.html");
  for (const [, name] of readFileSync(join(folder, "index.html"), "utf8").matchAll(/\/web\/([\w.-]+)/g)) add(name!);
  add(page);
  return [...found];
}

test.skipIf(!existsSync(join(folder, "sizes.json")))("the first view of any page is under 200 KB packed, and what each page weighs is printed", () => {
  const sizes = JSON.parse(readFileSync(join(folder, "sizes.json"), "utf8")) as Readonly<Record<string, Size>>;
  const pages = Object.keys(sizes).filter((name) => /^page-.*\.js$/.test(name));
  expect(pages.length).toBeGreaterThan(1);
  const weights = pages.map((page) => ({ page, gzip: filesOf(page, sizes).reduce((sum, name) => sum + sizes[name]!.gzip, 0) }));
  process.stdout.write(`${weights.map(({ page, gzip }) => `${page.padEnd(24)} ${(gzip / 1024).toFixed(1).padStart(7)} KB with all it needs`).join("\n")}\n`);
  expect(weights.filter(({ gzip }) => gzip > FIRST_VIEW_BYTES)).toEqual([]);
});
