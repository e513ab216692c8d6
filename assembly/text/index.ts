export { textArena } from "./filter";
export { grok } from "./grok";
export { anyBegins, lines } from "./lines";
