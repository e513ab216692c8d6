// DuckDB counts the events that each condition holds for, with only the columns they need named and one thread.
//   duckdb-rules.mjs FILE COLUMNS CONDITION...   prints the counts, one a line
import { DuckDBInstance } from "@duckdb/node-api";

const [, , file, columns, ...conditions] = process.argv;
const database = await DuckDBInstance.create(":memory:", { threads: "1" });
const connection = await database.connect();
const counts = conditions.map((condition, i) => `count(*) filter (where ${condition}) as c${i}`).join(", ");
const answer = await connection.runAndReadAll(`select ${counts} from read_json('${file.replaceAll("'", "''")}', format='newline_delimited', columns=${columns})`);
process.stdout.write(answer.getRows()[0].map((count) => `${count}\n`).join(""));
connection.closeSync();
