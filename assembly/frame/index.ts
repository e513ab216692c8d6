export { frameLines } from "./lines";
export { frameScan } from "./scan";
