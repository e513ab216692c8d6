// Reads the content packs once, at build time, so that no run has to; what is wrong in one ends the build.
import { writeFileSync } from "node:fs";
import { builtRulesText } from "../dist/host/pack-rules.js";
import { contentFolder, packsText, readPacks } from "../dist/host/packs.js";

const packs = await readPacks(contentFolder());
const problems = packs.flatMap((pack) => pack.problems);
for (const problem of problems) process.stderr.write(`${problem.file}:${problem.line}: ${problem.message} (${problem.code})\n`);
if (problems.length) process.exit(1);
writeFileSync(new URL("../dist/packs.json", import.meta.url), packsText(packs));
writeFileSync(new URL("../dist/pack-rules.json", import.meta.url), builtRulesText());
