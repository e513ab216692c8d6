import { describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { evaluate } from "../reference/evaluate.ts";
import { type Variant, variants } from "../support/wasm.ts";
import { TestMatcher, treeOf } from "./support.ts";

const of = (source: string): LogEvent => ({ source });
const named = (name: unknown): LogEvent => ({ attributes: { evt: { name } } as LogEvent["attributes"] });
const user = (id: unknown): LogEvent => ({ attributes: { usr: { id } } as LogEvent["attributes"] });
const phrase = '@evt.name:"Cloud Security Platform"';
const accounts = "@usr.id:service-account-*";
const three = "source:(cloudtrail OR aws.guardduty OR azure.activitylogs)";

type Row = readonly [query: string, event: LogEvent, matches: boolean];

const rows: Readonly<Record<string, readonly Row[]>> = {
  "[SE-02] several values of one key": [
    ["source:(auth OR sshd)", of("auth"), true],
    ["source:(auth OR sshd)", of("sshd"), true],
    ["source:(auth OR sshd)", of("nginx"), false],
    ["source:(auth OR sshd)", { message: "auth sshd" }, false],
    [three, of("cloudtrail"), true],
    [three, of("aws.guardduty"), true],
    [three, of("azure.activitylogs"), true],
    [three, of("azure"), false],
    ["-source:(auth OR sshd)", of("sshd"), false],
    ["-source:(auth OR sshd)", of("nginx"), true],
    ["source:((auth OR sshd) AND -sshd)", of("sshd"), false],
    ["source:((auth OR sshd) AND -sshd)", of("auth"), true],
    ["@evt.name:(login OR sign?in OR \"log on\")", named("log on"), true],
    ["@evt.name:(login OR sign?in OR \"log on\")", named("sign-in"), true],
    ["@evt.name:(login OR sign?in OR \"log on\")", named("log"), false],
    ["@evt.name:(a AND b)", named(["a", "b"]), true],
    ["@evt.name:(a AND b)", named(["a"]), false],
    ["@evt.name:([1 TO 3] OR >9)", named(10), true],
    ["@evt.name:([1 TO 3] OR >9)", named(4), false],
    ["env:(prod OR staging)", { tags: ["env:staging"] }, true],
    ["env:(prod OR staging)", { tags: ["env:dev"] }, false],
  ],
  "[SE-03] a quoted value is the whole value, blanks and all": [
    [phrase, named("Cloud Security Platform"), true],
    [phrase, named("Cloud Security Platform 2"), false],
    [phrase, named("The Cloud Security Platform"), false],
    [phrase, named("Cloud  Security Platform"), false],
    [phrase, named("Cloud Security Platform "), false],
    [phrase, named("cloud security platform"), false],
    [phrase, named("Cloud"), false],
    [phrase, named(["Access Management", "Cloud Security Platform"]), true],
    [phrase, named(["Cloud", "Security", "Platform"]), false],
    [phrase, { message: "Cloud Security Platform" }, false],
    ['@evt.name:"a*"', named("ab"), false],
    ['@evt.name:"a*"', named("a*"), true],
    ['@evt.name:"say \\"so\\""', named('say "so"'), true],
    ['-@evt.name:"Cloud Security Platform"', named("Cloud Security"), true],
  ],
  "[SE-05] a wildcard behind a prefix": [
    [accounts, user("service-account-backup"), true],
    [accounts, user("service-account-"), true],
    [accounts, user("service-account"), false],
    [accounts, user("my-service-account-1"), false],
    [accounts, user("Service-Account-1"), false],
    [accounts, user(["ann", "service-account-7"]), true],
    [accounts, user(null), false],
    [accounts, {}, false],
    ["-@usr.id:service-account-*", user("ann"), true],
    ["-@usr.id:service-account-*", user("service-account-9"), false],
    ["@usr.id:(service-account-* OR root)", user("root"), true],
    ["@usr.id:\"service-account-*\"", user("service-account-9"), false],
  ],
};

/** Which rows of a table match their own query, all of them at once. */
type Teller = readonly [name: string, matched: (table: readonly Row[]) => boolean[]];

const tellers: readonly Teller[] = [
  ["reference", (table) => table.map(([query, event]) => evaluate(treeOf(query), event))],
  ...variants.map((variant: Variant): Teller => [variant, (table) => new TestMatcher(variant, table.map(([query]) => query)).match(table.map(([, event]) => event)).map((hits, i) => hits.includes(i))]),
];

describe.each(tellers)("values of a key, %s", (_name, matched) => {
  test.each(Object.entries(rows))("%s", (_title, table) => {
    const found = matched(table);
    table.forEach(([query, event, matches], i) => expect(found[i], `${query} on ${JSON.stringify(event)}`).toBe(matches));
  });
});
