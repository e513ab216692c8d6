export { deriveAddresses } from "./addresses";
export { clearColumn, derive } from "./run";
export { tagArena, tagSetup } from "./tags";
export { deriveTimes } from "./time";
