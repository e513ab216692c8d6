import { fieldText, readField } from "../query/field.ts";
import type { SignalDocument } from "../signal/document.ts";
import { type Members, attributesOf, reservedOf, scalarsAt, tagValues } from "./document.ts";
import { isPublicAddress } from "./public-address.ts";
import { entityId } from "./risk.ts";

export const entityTypes = [
  "user", "aws_principal", "aws_account", "gcp_service_account", "ip", "host", "container", "k8s_object", "s3_bucket", "repository", "service",
] as const;
export type EntityType = (typeof entityTypes)[number];

/** Whom or what a signal is about (platform spec 1.8). */
export interface Entity {
  readonly type: EntityType;
  readonly value: string;
  /** As queries write it: `@usr.id:root`, `host:web-1`; not escaped. */
  readonly text: string;
  /** Others, such as all addresses of its logs, are only beside it. */
  readonly isPrimary: boolean;
}

/** What signals may have in common: an entity, or a value they are grouped by. */
export interface SignalLink {
  readonly entity: string;
  /** Absent: a group-by value that is no entity. */
  readonly type?: EntityType;
  readonly isPrimary: boolean;
}

/** What is looked at of a signal. */
export type About = Pick<SignalDocument, "details" | "group" | "tags">;

/** Entities of one signal at most. */
const ENTITY_CAP = 100;
const GOOGLE_ACCOUNT = ".gserviceaccount.com";

/** Entities of a signal, in the order of the table; each text once. */
export function entitiesOf(document: About): Entity[] {
  const attributes = attributesOf(document);
  const found = new Map<string, Entity>();
  const add = (type: EntityType, value: string, text: string, isPrimary = true): void => {
    if (value !== "" && found.size < ENTITY_CAP && !found.has(text)) found.set(text, { type, value, text, isPrimary });
  };
  const addFirst = (type: EntityType, ...paths: readonly string[]): void => {
    const path = paths.find((each) => textsAt(attributes, each).length > 0);
    if (path !== undefined) for (const value of textsAt(attributes, path)) add(path === "usr.id" && value.endsWith(GOOGLE_ACCOUNT) ? "gcp_service_account" : type, value, `@${path}:${value}`);
  };
  const addTag = (type: EntityType, key: string): void => tagValues(document.details?.tags ?? document.tags, key).forEach((value) => add(type, value, `${key}:${value}`));
  addFirst("user", "usr.id", "usr.email", "usr.name", "userIdentity.userName");
  addFirst("aws_principal", "userIdentity.arn");
  if (textsAt(attributes, "usr.account_id").length || textsAt(attributes, "userIdentity.accountId").length) addFirst("aws_account", "usr.account_id", "userIdentity.accountId");
  else addTag("aws_account", "aws_account");
  addFirst("ip", "network.client.ip");
  for (const value of reservedOf(document, "host")) add("host", value, `host:${value}`);
  if (!reservedOf(document, "host").length) addTag("host", "instance-id");
  const tagged = found.size;
  addTag("container", "container_id");
  if (found.size === tagged) addFirst("container", "container.id");
  addObjects(attributes, (value) => add("k8s_object", value, `@objectRef.name:${value}`));
  addFirst("s3_bucket", "requestParameters.bucketName");
  addFirst("repository", "repo");
  for (const value of reservedOf(document, "service")) add("service", value, `service:${value}`);
  for (const value of textsAt(attributes, "network.ip.list")) {
    const isClient = found.has(`@network.client.ip:${value}`);
    if (!isClient && isPublicAddress(value)) add("ip", value, `@network.ip.list:${value}`, false);
  }
  return [...found.values()];
}

/** Entities and group-by values, each text once. */
export function linksOf(document: About): SignalLink[] {
  const links = new Map<string, SignalLink>();
  for (const { text, type, isPrimary } of entitiesOf(document)) links.set(text, { entity: text, type, isPrimary });
  for (const [name, value] of Object.entries(document.group)) {
    const entity = `${fieldText(readField(name))}:${value}`;
    if (value === "") continue;
    const known = links.get(entity);
    // What a signal is told apart by is never only beside it.
    if (!known?.isPrimary) links.set(entity, { entity, ...(known?.type ? { type: known.type } : {}), isPrimary: true });
  }
  return [...links.values()];
}

/** What its points go to, as `type:value`, each once: its primary entities, and what it is told apart by. */
export function primaryEntityIds(document: About): string[] {
  // A path holds no colon, so that the value begins behind the first.
  return [...new Set(linksOf(document).flatMap(({ entity, type, isPrimary }) => (type && isPrimary ? [entityId(type, entity.slice(entity.indexOf(":") + 1))] : [])))];
}

function textsAt(attributes: Members, path: string): string[] {
  return scalarsAt(attributes, path.split(".")).map(String);
}

/** `resource/namespace/name`, where the signal has one of each but names. */
function addObjects(attributes: Members, add: (value: string) => void): void {
  const [resource, otherResource] = textsAt(attributes, "objectRef.resource");
  const [namespace, otherNamespace] = textsAt(attributes, "objectRef.namespace");
  if (resource === undefined || otherResource !== undefined || otherNamespace !== undefined) return;
  for (const name of textsAt(attributes, "objectRef.name")) add([resource, ...(namespace === undefined ? [] : [namespace]), name].join("/"));
}
