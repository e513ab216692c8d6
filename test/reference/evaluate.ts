/** The slow, obvious teller of what a query means; the scalar and the SIMD kernels are held against it. */
export { matches as evaluate } from "../../host/query/matches.ts";
