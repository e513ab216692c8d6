import { expect, test } from "vitest";
import { askingForPlaces, blindWithoutDatabases } from "../../host/engine/pipelines/places.ts";
import { keptFacts } from "../../host/control/packs/facts.ts";
import { contentFolder, readPacks } from "../../host/packs.ts";
import { standingQueries } from "../../host/rule/standing.ts";
import { rulesOf } from "../content/aws-support.ts";

const packs = await readPacks(contentFolder());

/** Okta and 1Password tell places themselves; nobody tells the domain of a network to GitHub's and Google's rules. */
test.each([["cloudtrail", 3, 3], ["okta", 1, 0], ["1password", 1, 0], ["github", 1, 1], ["gcp", 1, 1], ["linux-auth", 2, 2], ["kubernetes", 0, 0]])("[GE-01] of pack %s %i queries ask where addresses are, %i of them in vain without a database", (name, asking, blind) => {
  const pack = packs.find((each) => each.name === name)!;
  const rules = rulesOf(pack);
  const standing = standingQueries(rules);
  expect([askingForPlaces(pack.pipelines, standing).length, blindWithoutDatabases(pack.pipelines, standing).length]).toEqual([asking, blind]);
  const setup = { isEnabled: true, stored: undefined, filters: undefined, rules, judging: new Set<string>() };
  expect([keptFacts(pack, { ...setup, hasGeoip: false }).placeless, keptFacts(pack, { ...setup, hasGeoip: true }).placeless]).toEqual([blind, 0]);
});
