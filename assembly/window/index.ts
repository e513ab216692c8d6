export { windowBatch, windowNext } from "./apply";
export { windowEvents } from "./events";
export { windowStart } from "./start";
export { windowCandidate, windowExtension, windowGroup, windowMark, windowReindex, windowResume, windowRing } from "./state";
