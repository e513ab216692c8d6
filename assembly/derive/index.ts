export { deriveAddresses } from "./addresses";
export { addressCandidates } from "./candidates";
export { combineMasks, moveRows, setRows } from "./rows";
export { clearColumn, clearColumns, derive } from "./run";
export { normalizeStatus } from "./status";
export { tagArena, tagSetup } from "./tags";
export { deriveTimes } from "./time";
