export { emit, emitReset } from "./column/index";
export { clearColumn, derive, deriveAddresses, deriveTimes, tagArena, tagSetup } from "./derive/index";
export { extract, reframe, reframeEnd, validateUtf8 } from "./extract/index";
export { match, textHashHigh, textHashLow } from "./match/index";
export { windowBatch, windowEvents, windowNext, windowStart } from "./window/index";
