import fc from "fast-check";

/** What of JSON Schema the API's document uses. */
export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** Texts that have been somebody's undoing. */
const nasty = fc.constantFrom("*", "", "@a:b", "source:auth status:error", "(", "a > 1", "__proto__", "constructor", "now-1h", "../../etc/passwd", "'; DROP TABLE signals; --", "{{@usr.id}}", "<script>1</script>", "\u0000", "\ud800", "\u202etxt", "a".repeat(300), "0", "-1", "1e999", "null", "💣", "%00", "00000000-0000-4000-8000-000000000000");
const textOf = ({ minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> =>
  fc.oneof(nasty, fc.string({ unit: "grapheme", maxLength: 40 }), fc.string({ maxLength: 20 })).map((text) => (text.length < minLength ? text.padEnd(minLength, "x") : text.slice(0, Math.max(maxLength, minLength))));

const anything = fc.oneof(fc.constant(null), fc.boolean(), fc.double({ noNaN: true }), nasty, fc.jsonValue({ maxDepth: 3 }));

/** Values that a schema describes, mostly; one in twenty is whatever. */
export function valuesOf(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  const good = goodValues(schema, depth);
  return depth === 0 ? good : fc.oneof({ weight: 19, arbitrary: good }, { weight: 1, arbitrary: anything });
}

function goodValues(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((each) => goodValues(each, depth + 1)));
  switch (schema.type) {
    case "object": return objectsOf(schema, depth);
    case "array": return depth > 6 ? fc.constant([]) : fc.array(valuesOf(schema.items ?? {}, depth + 1), { minLength: schema.minItems ?? 0, maxLength: Math.max(schema.minItems ?? 0, Math.min(3, schema.maxItems ?? 3)) });
    case "integer": return fc.oneof(fc.integer({ min: schema.minimum ?? -5, max: Math.min(schema.maximum ?? 1000, 2_147_483_647) }), fc.constantFrom(...[0, 1, 60, 300].filter((each) => each >= (schema.minimum ?? 0) && each <= (schema.maximum ?? 300)), schema.minimum ?? 0));
    case "number": return fc.oneof(fc.integer({ min: 0, max: 2_000_000_000 }), fc.double({ min: schema.minimum ?? -1e15, max: schema.maximum ?? 1e15, noNaN: true }));
    case "boolean": return fc.boolean();
    case "null": return fc.constant(null);
    case "string": return textOf(schema);
    default: return anything;
  }
}

function objectsOf({ properties = {}, required = [], patternProperties }: Schema, depth: number): fc.Arbitrary<unknown> {
  const optional = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, depth > 6 && !required.includes(name) ? fc.constant(undefined) : valuesOf(inner, depth + 1)]));
  const named = fc.record(optional, { requiredKeys: [...required] });
  const [inner] = Object.values(patternProperties ?? {});
  return inner ? fc.tuple(named, fc.dictionary(fc.string({ maxLength: 10 }), valuesOf(inner, depth + 1), { maxKeys: 3 })).map(([a, b]) => ({ ...b, ...a })) : named;
}
