export { emit, emitReset } from "./column/index";
export { clearColumn, combineMasks, derive, deriveAddresses, deriveTimes, moveRows, normalizeStatus, setRows, tagArena, tagSetup } from "./derive/index";
export { extract, reframe, reframeEnd, validateUtf8 } from "./extract/index";
export { match, matchBits, textHashHigh, textHashLow } from "./match/index";
export { anyBegins, grok, lines, textArena } from "./text/index";
export { windowBatch, windowEvents, windowNext, windowStart } from "./window/index";
export * from "./sketch/all";
