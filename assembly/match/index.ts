export { textHashHigh, textHashLow } from "./hash";
export { match } from "./match";
