export { grok, textArena } from "./grok";
export { anyBegins, lines } from "./lines";
