export { endsHashHigh, endsHashLow } from "./equality";
export { match } from "./match";
