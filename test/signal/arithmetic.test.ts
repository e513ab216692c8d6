import { describe, expect, test } from "vitest";
import { evaluateArithmetic } from "../../host/signal/arithmetic.ts";

const variables: Readonly<Record<string, number>> = { first_seen_epoch: 1_700_000_000_000, n: 7, "@http.bytes": 2048, zero: 0 };
const evaluate = (text: string) => evaluateArithmetic(text, (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined));

describe("arithmetic of templates", () => {
  test.each([
    ["first_seen_epoch-15*60*1000", "1699999100000"],
    ["1 + 2 * 3", "7"], ["(1 + 2) * 3", "9"], ["10 - 4 - 3", "3"], ["100 / 10 / 5", "2"], ["7 % 4", "3"], ["2 ^ 10", "1024"],
    ["2 ^ 3 ^ 2", "512"], ["-2 ^ 2", "-4"], ["2 ^ -1", "0.5"], ["--3", "3"], ["-(3)", "-3"], ["2*-3", "-6"],
    ["0.1 + 0.2", "0.3"], ["1e3 + 1", "1001"], ["1.5e-2", "0.015"], ["n/2", "3.5"], ["@http.bytes / 2", "1024"], ["(((((n)))))", "7"],
    ["abs(-3)", "3"], ["int(3.9)", "3"], ["trunc(-3.9)", "-3"], ["float(3)", "3"], ["dec(3.5)", "3.5"], ["round(2.5)", "3"], ["ceil(2.1)", "3"], ["floor(-2.1)", "-3"],
    ["sgn(-5)", "-1"], ["to_bool(0)", "false"], ["to_bool(2)", "true"], ["exp(0)", "1"], ["log10(1000)", "3"],
    ["sin(0)", "0"], ["sinh(0)", "0"], ["asin(0)", "0"], ["asinh(0)", "0"], ["cos(0)", "1"], ["cosh(0)", "1"], ["acos(1)", "0"], ["acosh(1)", "0"],
    ["tan(0)", "0"], ["tanh(0)", "0"], ["atan(0)", "0"], ["atanh(0)", "0"], ["atan2(0, 1)", "0"], ["round(atan2(1, 1) * 4 * 100)", "314"],
    ["humanize_bytes(2048)", "2KiB"], ["humanize_bytes(1536)", "1.5KiB"], ["humanize_bytes(5)", "5B"], ["humanize_bits(2000000)", "2Mb"], ["humanize_bytes(1024 ^ 6)", "1024PiB"],
  ])("%s is %s", (text, value) => expect(evaluate(text)).toEqual({ kind: "value", text: value }));

  test.each(["gone + 1", "1 / zero", "0 / 0", "log10(0)", "acos(2)", "10 ^ 400", "@gone"])("%s has no value", (text) => expect(evaluate(text)).toEqual({ kind: "no-value" }));

  test.each(["", "1 +", "(1", "1)", "1 2", "1 $ 2", "abs()", "abs(1, 2)", "atan2(1)", "nope(1)", "constructor(1)", "toString()", "1 + humanize_bytes(5)", "()", ",", "n n", "process.exit(1)", "'a'", "a[0]", "1;2", `${"1+".repeat(600)}1`])("%s is malformed", (text) => {
    expect(evaluate(text)).toEqual({ kind: "malformed" });
  });

  test("malformed even where a variable has no number", () => expect(evaluate("gone + (1")).toEqual({ kind: "malformed" }));

  test("as long and as deep as may be", () => {
    expect(evaluate(`${"1+".repeat(499)}1`)).toEqual({ kind: "value", text: "500" });
    expect(evaluate(`${"(".repeat(499)}1${")".repeat(499)}`)).toEqual({ kind: "value", text: "1" });
    expect(evaluate(`${"-".repeat(999)}1`)).toEqual({ kind: "value", text: "-1" });
  });
});
