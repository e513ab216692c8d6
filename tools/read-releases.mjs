// Reads the changelog once, at build time: the overview page tells of releases.
import { readFileSync, writeFileSync } from "node:fs";
import { readReleases } from "../dist/host/news.js";

const releases = readReleases(readFileSync(new URL("../CHANGELOG.md", import.meta.url), "utf8"));
if (!releases.length) {
  process.stderr.write("CHANGELOG.md tells of no release\n");
  process.exit(1);
}
writeFileSync(new URL("../dist/releases.json", import.meta.url), JSON.stringify(releases));
