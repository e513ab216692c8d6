export { LogSearch, searchLogs, type FoundLog, type LogSearchOptions, type SearchAnswer, type SearchCost, type SearchRequest, type TendAnswer } from "./log-search.ts";
export { readExclusions } from "./exclusions.ts";
export { LogsApi, type ApiAnswer, type LogsApiOptions } from "./http.ts";
export { apiLog, testLog } from "./show.ts";
export { readInterval, readTimeBound } from "./time-text.ts";
