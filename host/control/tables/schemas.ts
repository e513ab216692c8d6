import { Type } from "typebox";
import { fieldTypes } from "../../store/tables.ts";

/** Shapes of Datadog's reference tables API, version 2 (rule-api spec 11). */
export const uuid = Type.String();
const Fields = Type.Array(Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }), type: Type.Enum([...fieldTypes]) }), { minItems: 1, maxItems: 200 });
const Schema = Type.Object({ fields: Fields, primary_keys: Type.Array(Type.String(), { minItems: 1, maxItems: 1 }) });
const FileMetadata = Type.Object({ upload_id: Type.Optional(Type.String()) });
const Tags = Type.Array(Type.String({ maxLength: 200 }), { maxItems: 100 });
const Description = Type.String({ maxLength: 10_000 });

export const CreateTable = Type.Object({
  data: Type.Object({
    type: Type.Literal("reference_table"),
    attributes: Type.Object({
      table_name: Type.String({ pattern: "^[a-z][a-z0-9_]{0,199}$" }), description: Type.Optional(Description), tags: Type.Optional(Tags), schema: Schema,
      source: Type.Enum(["LOCAL_FILE", "S3", "GCS", "AZURE"]), file_metadata: Type.Optional(FileMetadata),
    }),
  }),
});

export const PatchTable = Type.Object({
  data: Type.Object({
    type: Type.Literal("reference_table"),
    attributes: Type.Optional(Type.Object({ description: Type.Optional(Description), tags: Type.Optional(Tags), schema: Type.Optional(Schema), file_metadata: Type.Optional(FileMetadata) })),
  }),
});

const TableData = Type.Object({ type: Type.Literal("reference_table"), id: uuid, attributes: Type.Object({}) });
export const Table = Type.Object({ data: TableData });
export const Tables = Type.Object({ data: Type.Array(TableData) });

const RowData = Type.Object({ type: Type.Literal("row"), id: Type.String(), attributes: Type.Object({ values: Type.Object({}) }) });
export const Rows = Type.Object({ data: Type.Array(RowData) });
export const RowPage = Type.Object({ data: Type.Array(RowData), links: Type.Object({ first: Type.String(), self: Type.String(), next: Type.Optional(Type.String()) }), meta: Type.Optional(Type.Object({})) });

/** Rows of one call at most. */
export const MOST_ROWS = 200;
const RowId = Type.Object({ type: Type.Literal("row"), id: Type.String({ maxLength: 1000 }) });
export const UpsertRows = Type.Object({
  data: Type.Array(Type.Object({ type: Type.Literal("row"), id: Type.String({ maxLength: 1000 }), attributes: Type.Object({ values: Type.Record(Type.String(), Type.Union([Type.String({ maxLength: 10_000 }), Type.Integer(), Type.Null()])) }) }), { minItems: 1, maxItems: MOST_ROWS }),
});
export const DeleteRows = Type.Object({ data: Type.Array(RowId, { minItems: 1, maxItems: MOST_ROWS }) });
export const BatchQuery = Type.Object({ data: Type.Object({ type: Type.Literal("reference-tables-batch-rows-query"), attributes: Type.Object({ table_id: Type.String(), row_ids: Type.Array(Type.String({ maxLength: 1000 }), { maxItems: MOST_ROWS }) }) }) });
export const BatchAnswer = Type.Object({ data: Type.Object({ type: Type.Literal("reference-tables-batch-rows-query"), id: Type.String() }), included: Type.Array(RowData) });

export const MOST_PARTS = 1000;
/** Bytes of one part. */
export const MOST_PART_BYTES = 20 * 1024 * 1024;
export const CreateUpload = Type.Object({
  data: Type.Object({
    type: Type.Literal("upload"),
    attributes: Type.Object({ headers: Type.Array(Type.String({ maxLength: 200 }), { minItems: 1, maxItems: 200 }), part_count: Type.Integer({ minimum: 1, maximum: MOST_PARTS }), part_size: Type.Integer({ minimum: 1, maximum: MOST_PART_BYTES }), table_name: Type.String({ maxLength: 200 }) }),
  }),
});
export const Upload = Type.Object({ data: Type.Object({ type: Type.Literal("upload"), id: Type.String(), attributes: Type.Object({ part_urls: Type.Array(Type.String()) }) }) });
