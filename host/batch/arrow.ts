import { Data, Field, Float64, RecordBatch, Schema, Struct, Uint32, Uint64, makeData } from "apache-arrow";
import type { MatchColumns } from "./matches.ts";

const fields = [
  new Field("standing", new Uint32(), false),
  new Field("row", new Uint32(), false),
  new Field("time_ms", new Float64(), false),
  new Field("key_hash", new Uint64(), false),
  new Field("value", new Uint64(), false),
  new Field("event_start", new Uint32(), false),
  new Field("event_length", new Uint32(), false),
];

/** Schema of a task's matches as Arrow; the columns are the result arrays themselves. */
export const matchSchema = new Schema(fields);

/** An Arrow record batch over the result arrays of a task: no copy, valid until the slot is released. */
export function matchRecordBatch(matches: MatchColumns): RecordBatch {
  const length = matches.count;
  const children: Data[] = [
    makeData({ type: new Uint32(), length, data: matches.standing }),
    makeData({ type: new Uint32(), length, data: matches.row }),
    makeData({ type: new Float64(), length, data: matches.timeMs }),
    makeData({ type: new Uint64(), length, data: matches.keyHash }),
    makeData({ type: new Uint64(), length, data: matches.value }),
    makeData({ type: new Uint32(), length, data: matches.eventStart }),
    makeData({ type: new Uint32(), length, data: matches.eventLength }),
  ];
  return new RecordBatch(matchSchema, makeData({ type: new Struct(fields), length, nullCount: 0, children }));
}
