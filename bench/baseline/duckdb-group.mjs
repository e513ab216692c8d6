// DuckDB counts failures by user, with only the columns it needs named and one thread.
//   duckdb-group.mjs FILE MORE_THAN   prints the users above, one a line
import { DuckDBInstance } from "@duckdb/node-api";

const [, , file, moreThan] = process.argv;
const database = await DuckDBInstance.create(":memory:", { threads: "1" });
const connection = await database.connect();
const columns = "{ddsource:'VARCHAR', evt:'STRUCT(outcome VARCHAR)', usr:'STRUCT(id VARCHAR)'}";
const answer = await connection.runAndReadAll(`select usr.id from read_json('${file.replaceAll("'", "''")}', format='newline_delimited', columns=${columns}) where ddsource = 'sshd' and evt.outcome = 'failure' group by usr.id having count(*) > ${Number(moreThan)}`);
process.stdout.write(answer.getRows().map(([user]) => `${user}\n`).join(""));
connection.closeSync();
