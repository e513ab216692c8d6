import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { WebPage } from "./support.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: ReadonlyArray<{ readonly target: readonly string[]; readonly failureSummary?: string }>;
}

/** What axe finds serious or worse on a page as it stands. */
export async function violations({ page }: WebPage): Promise<string[]> {
  // By the browser's own door, which the content policy does not guard.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await (globalThis as unknown as { readonly axe: { run(where: unknown, how: unknown): Promise<{ readonly violations: unknown }> } }).axe.run(document, { resultTypes: ["violations"] })).violations) as readonly Violation[];
  return found.filter(({ impact }) => impact === "serious" || impact === "critical").flatMap(({ id, help, nodes }) => nodes.slice(0, 3).map(({ target, failureSummary }) => `${id}: ${help} at ${target.join(" ")} (${failureSummary?.replace(/\s+/g, " ")})`));
}
