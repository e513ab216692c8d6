import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { ApiError } from "./api-error.ts";

/** Faults told of one request; a body of a thousand faults needs no thousand lines. */
const MOST_FAULTS = 20;
/** Items of a list that are looked through for faults, which takes far longer than to find that there is one; no schema takes more. */
const MOST_ITEMS = 2001;

/** One schema, made ready; what it refuses is told all at once, each fault with its place. */
export class Checked {
  readonly #schema: TSchema;
  readonly #validator: Validator;
  readonly #where: string;

  /** @param where what is checked, as a place starts: empty for bodies. */
  constructor(schema: TSchema, where: string) {
    this.#schema = schema;
    this.#validator = Compile(schema);
    this.#where = where;
  }

  /** Texts of a query or a path, made what the schema wants. Throws like `check`. */
  convert(texts: Readonly<Record<string, string | readonly string[]>>): unknown {
    const kinds = (this.#schema as { readonly properties?: Readonly<Record<string, { readonly type?: string }>> }).properties ?? {};
    return this.check(Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, converted(text, kinds[name]?.type)])));
  }

  /** The value itself. Throws an `ApiError` with 400 and every fault. */
  check(value: unknown): unknown {
    if (this.#validator.Check(value)) return value;
    const errors = this.#validator.Errors(shortened(value, { left: 10 * MOST_ITEMS })).slice(0, MOST_FAULTS);
    if (!errors.length) throw new ApiError(400, `a list is too long, or something behind its first ${MOST_ITEMS} items is not what is wanted`);
    const details = errors.map((error) => {
      const target = placeOf(error.instancePath, this.#where);
      return { code: "InvalidArgument", target, message: messageOf(error as unknown as SchemaFault) };
    });
    throw new ApiError(400, details.map(({ target, message }) => (target === "" ? message : `${target}: ${message}`)), { details });
  }
}

/** A copy of lists, and of what holds them, cut off; together they have so many items. */
function shortened(value: unknown, room: { left: number }): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const some = value.slice(0, Math.max(1, Math.min(MOST_ITEMS, room.left)));
    room.left -= some.length;
    return some.map((item) => shortened(item, room));
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shortened(inner, room)]));
}

function converted(text: string | readonly string[], kind: string | undefined): unknown {
  if (kind === "array") return typeof text === "string" ? [text] : text;
  const last = typeof text === "string" ? text : text.at(-1)!;
  if ((kind === "integer" || kind === "number") && /^-?\d{1,16}(?:\.\d{1,9})?$/.test(last)) return Number(last);
  return kind === "boolean" && (last === "true" || last === "false") ? last === "true" : last;
}

interface SchemaFault {
  readonly keyword: string;
  readonly message: string;
  readonly params: Readonly<Record<string, unknown>>;
}

function messageOf({ keyword, message, params }: SchemaFault): string {
  if (keyword === "enum" && Array.isArray(params.allowedValues)) return `must be one of ${params.allowedValues.join(", ")}`;
  if (keyword === "required" && Array.isArray(params.requiredProperties)) return `${params.requiredProperties.join(", ")} is missing`;
  return message;
}

/** `/cases/0/condition` as `cases[0].condition`. */
function placeOf(pointer: string, where: string): string {
  const path = pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const text = path.reduce((place, part) => (/^\d+$/.test(part) ? `${place}[${part}]` : place === "" ? part : `${place}.${part}`), "");
  return where === "" ? text : text === "" ? where : `${where}.${text}`;
}
