export { emit, emitReset } from "./column/index";
export { addressCandidates, buildText, clearColumn, clearColumns, combineMasks, convert, derive, deriveAddresses, deriveTimes, dropTimeless, layTags, listedTexts, moveRows, normalizeStatus, setRows, tagArena, tagSetup } from "./derive/index";
export { extract, reframe, reframeEnd, validateUtf8 } from "./extract/index";
export { frameLines, frameScan } from "./frame/index";
export { match, matchBits, textHashHigh, textHashLow } from "./match/index";
export { anyBegins, grok, lines, textArena } from "./text/index";
export {
  windowBatch, windowCandidate, windowEvents, windowExtension, windowGroup, windowMark, windowNext, windowReindex, windowResume, windowRing, windowStart,
} from "./window/index";
export * from "./sketch/all";
