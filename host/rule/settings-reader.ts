import { hash } from "node:crypto";
import type { QueryNode } from "../query/tree.ts";
import { type Problem, ProblemError } from "../problem.ts";
import { type Members, Reader, isMembers, join } from "./reader.ts";

/** What is read of suppressions, filters and assets, with everything that is wrong with them. */
export interface ReadSettings<T> {
  readonly values: readonly T[];
  readonly problems: readonly Problem[];
}

/** Reads a list of API objects; a `data.attributes` wrapping is taken off each. */
export function readSettings<T>(list: readonly unknown[], name: string, read: (members: Members, place: string, reader: Reader) => T): ReadSettings<T> {
  const reader = new Reader();
  const values = list.map((value, i) => {
    const { members, place } = attributesOf(value, `${name}[${i}]`, reader);
    return read(members, place, reader);
  });
  return { values, problems: reader.problems };
}

/** The values, or a `ProblemError` with every error. */
export function orThrow<T>(settings: ReadSettings<T>): T[] {
  const errors = settings.problems.filter((problem) => problem.level !== "warning");
  if (errors.length) throw new ProblemError(errors);
  return [...settings.values];
}

function attributesOf(value: unknown, place: string, reader: Reader): { members: Members; place: string } {
  const members = reader.members(value, place);
  if (isMembers(members.data)) return attributesOf(members.data, join(place, "data"), reader);
  return isMembers(members.attributes) ? { members: members.attributes, place: join(place, "attributes") } : { members, place };
}

/** A query member; absent or blank is none. */
export function optionalQuery(members: Members, name: string, place: string, reader: Reader): QueryNode | undefined {
  const text = reader.text(members, name, place);
  return text.trim() === "" ? undefined : reader.query(text, join(place, name));
}

/** A query member that must say something. */
export function requiredQuery(members: Members, name: string, place: string, reader: Reader): QueryNode {
  const text = reader.text(members, name, place, true);
  if (typeof members[name] === "string" && text.trim() === "") reader.problem("rule/empty-query", join(place, name), `${name} is empty`, 'write a query, or "*" for all');
  return reader.query(text, join(place, name));
}

/** Members that a server adds to its answers. */
export const serverMembers = [
  "id", "version", "editable", "creation_date", "creator", "update_date", "updater", "creation_author_id", "update_author_id",
];

/** Its own id, or one made of what it says: the same in every run, another after an edit. */
export function settingId(members: Members): string {
  if (typeof members.id === "string" && members.id !== "") return members.id;
  const digits = hash("sha256", JSON.stringify(members)).slice(0, 9);
  return `${digits.slice(0, 3)}-${digits.slice(3, 6)}-${digits.slice(6)}`;
}
