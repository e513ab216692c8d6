export { distanceKm, distancesKm } from "./distance";
export { distinctAdd, distinctBytes, distinctCount, distinctGrow, distinctMerge, distinctStart } from "./distinct";
export { frequencyAdd, frequencyBytes, frequencyDecay, frequencyMerge, frequencyOf, frequencyStart } from "./frequency";
export { sketchCheck, sketchSeal } from "./head";
export { membersAdd, membersBytes, membersHas, membersMerge, membersRemove, membersStart } from "./members";
export { quantileAdd, quantileAt, quantileAtRank, quantileBytes, quantileCount, quantileMerge, quantileStart } from "./quantile";
export { seenAdd, seenBytes, seenHas, seenMerge, seenStart } from "./seen";
