import { describe, expect, test } from "vitest";
import { apiSignal } from "../../host/signal-model/api.ts";
import { entitiesOf, linksOf } from "../../host/signal-model/entities.ts";
import { csvCell, signalsCsv, signalsJson } from "../../host/signal-model/export.ts";
import { isPublicAddress } from "../../host/signal-model/public-address.ts";
import { aDocument, stored } from "./support.ts";

type Details = NonNullable<ReturnType<typeof aDocument>["details"]>;
const entities = (details: Partial<Details>, group: Record<string, string> = {}): string[] =>
  entitiesOf(aDocument({ details: { attributes: {}, hosts: [], services: [], tags: [], ...details }, rest: { group } })).map(({ type, text, isPrimary }) => `${type} ${text}${isPrimary ? "" : " (beside)"}`);

describe("entities of a signal", () => {
  test.each<[string, Partial<Details>, string[]]>([
    ["a user by the first name it has", { attributes: { usr: { id: "alice", email: "a@example.com" } } }, ["user @usr.id:alice"]],
    ["by mail where there is no id", { attributes: { usr: { email: "a@example.com" } } }, ["user @usr.email:a@example.com"]],
    ["several users", { attributes: { usr: { id: ["alice", "bob", 7] } } }, ["user @usr.id:alice", "user @usr.id:bob", "user @usr.id:7"]],
    ["a cloud's own account", { attributes: { usr: { id: "x@p.iam.gserviceaccount.com" } } }, ["gcp_service_account @usr.id:x@p.iam.gserviceaccount.com"]],
    ["AWS", { attributes: { userIdentity: { arn: "arn:aws:sts::1:assumed-role/r/s", accountId: "1", userName: "bob" } } }, ["user @userIdentity.userName:bob", "aws_principal @userIdentity.arn:arn:aws:sts::1:assumed-role/r/s", "aws_account @userIdentity.accountId:1"]],
    ["an account by its tag", { tags: ["aws_account:42", "aws_accounts:no"] }, ["aws_account aws_account:42"]],
    ["the client's address, and public ones beside it", { attributes: { network: { client: { ip: "8.8.8.8" }, ip: { list: ["8.8.8.8", "10.0.0.1", "1.1.1.1", "fe80::1", "2606:4700::1111"] } } } }, ["ip @network.client.ip:8.8.8.8", "ip @network.ip.list:1.1.1.1 (beside)", "ip @network.ip.list:2606:4700::1111 (beside)"]],
    ["a host, else its instance", { hosts: ["web-1"], tags: ["instance-id:i-0a"] }, ["host host:web-1"]],
    ["an instance", { tags: ["instance-id:i-0a"] }, ["host instance-id:i-0a"]],
    ["a container by tag, else by attribute", { attributes: { container: { id: "c1" } } }, ["container @container.id:c1"]],
    ["an object of Kubernetes", { attributes: { objectRef: { resource: "secrets", namespace: "kube-system", name: ["a", "b"] } } }, ["k8s_object @objectRef.name:secrets/kube-system/a", "k8s_object @objectRef.name:secrets/kube-system/b"]],
    ["a bucket, a repository, a service", { attributes: { requestParameters: { bucketName: "b" }, repo: "org/r" }, services: ["sso"] }, ["s3_bucket @requestParameters.bucketName:b", "repository @repo:org/r", "service service:sso"]],
    ["nothing", { attributes: { usr: { id: "" }, objectRef: { name: "x" } } }, []],
  ])("%s", (_, details, expected) => expect(entities(details)).toEqual(expected));

  test("are a hundred at most", () => {
    const list = Array.from({ length: 150 }, (_, i) => `8.8.${i}.1`);
    expect(entities({ attributes: { network: { ip: { list } } } })).toHaveLength(100);
  });

  test("what signals have in common is these and what they are grouped by", () => {
    const links = linksOf(aDocument({ details: { attributes: { usr: { id: "alice" }, network: { ip: { list: ["1.1.1.1"] } } }, hosts: [], services: [] }, rest: { group: { "@usr.id": "alice", team: "core", "@network.ip.list": "1.1.1.1", empty: "" } } }));
    expect(links).toEqual([
      { entity: "@usr.id:alice", type: "user", isPrimary: true }, { entity: "@network.ip.list:1.1.1.1", type: "ip", isPrimary: true }, { entity: "team:core", isPrimary: true },
    ]);
  });

  test.each([
    ["8.8.8.8", true], ["10.1.2.3", false], ["172.16.0.1", false], ["172.32.0.1", true], ["192.168.1.1", false], ["127.0.0.1", false], ["100.64.0.1", false], ["169.254.1.1", false], ["224.0.0.1", false], ["255.255.255.255", false],
    ["192.0.2.1", false], ["2606:4700::1111", true], ["::1", false], ["fe80::1", false], ["fd00::1", false], ["2001:db8::1", false], ["::ffff:10.0.0.1", false], ["::ffff:8.8.8.8", true], ["text", false], ["", false], ["1.2.3.4.5", false],
  ])("%s is public: %s", (text, isPublic) => expect(isPublicAddress(text)).toBe(isPublic));
});

describe("an export", () => {
  test("is a table that a spreadsheet opens, and none of its cells is a formula", () => {
    const signal = apiSignal(stored(aDocument({ rest: { title: '=HYPERLINK("http://x")', rule_name: "a,b" }, details: { hosts: ["h"], tags: ["+cmd", "b"] } })));
    const [head, row, ...rest] = signalsCsv([signal]).split("\r\n");
    expect(head).toBe("id,timestamp,severity,title,state,assignee,archive_reason,rule_id,rule_name,first_seen,last_seen,events_matched,entities,tags");
    expect(row).toBe(`346b4bdf97af7ad2d08785e3,2026-03-02T08:41:05.250Z,high,"'=HYPERLINK(""http://x"")",open,,none,abc-def-ghi,"a,b",2026-03-02T08:41:00.000Z,2026-03-02T08:43:00.000Z,4,"'@usr.id:alice; @network.client.ip:203.0.113.7; @network.client.ip:198.51.100.9; host:host-1; service:sso","'+cmd; b"`);
    expect(rest).toEqual([""]);
    expect(JSON.parse(signalsJson([signal, signal]))).toEqual([signal, signal].map((each) => JSON.parse(JSON.stringify(each)) as unknown));
    expect(JSON.parse(signalsJson([]))).toEqual([]);
  });

  test.each([
    ["=1+1", `"'=1+1"`], ["+1", `"'+1"`], ["-1", `"'-1"`], ["@a", `"'@a"`], ["\t=1", `"'\t=1"`], [" =1", `"' =1"`], ["\r\n=1", `"'\r\n=1"`], ["\uFF1D1", `"'\uFF1D1"`], ["\u0000=1", `"'\u0000=1"`],
    ["plain", "plain"], ["a=1", "a=1"], [-1, "-1"], [true, "true"], [undefined, ""], [null, ""], ['a"b', '"a""b"'], ["a\nb", '"a\nb"'], [["=1"], `"'=1"`], [{ a: 1 }, '"{""a"":1}"'],
  ])("%j is the cell %s", (value, cell) => expect(csvCell(value)).toBe(cell));
});
