export { windowBatch, windowNext } from "./apply";
export { windowEvents } from "./events";
export { windowStart } from "./start";
