export { textHashHigh, textHashLow } from "./hash";
export { match, matchBits } from "./match";
