export { extract } from "./extract";
