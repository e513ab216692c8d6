export * from "./index";
export * from "../similarity/index";
