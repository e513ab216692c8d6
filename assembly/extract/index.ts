export { extract } from "./extract";
export { validateUtf8 } from "./utf8";
