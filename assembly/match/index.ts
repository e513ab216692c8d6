export { textHashHigh, textHashLow } from "./equality";
export { match } from "./match";
