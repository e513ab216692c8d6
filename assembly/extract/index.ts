export { extract } from "./extract";
export { reframe, reframeEnd } from "./reframe";
export { validateUtf8 } from "./utf8";
