export { type Scalar, scalarsBelow, valuesOf } from "../../host/query/values.ts";
