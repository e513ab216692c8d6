export { emit, emitReset } from "./emit";
