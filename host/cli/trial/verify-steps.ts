import { agentEvent, bruteForceRule, cloudTrail, rootLogin, sshLines, windowsFailure } from "./events.ts";
import type { Answer, TrialServer } from "./server.ts";

/** A step did not come to what it is to come to. */
export class StepFault extends Error {}
/** What a step is about is not part of the product yet. */
export class NotHere extends Error {}

export interface Step {
  readonly what: string;
  /** @returns what was seen. Throws `StepFault` or `NotHere`. */
  run(server: TrialServer): Promise<string>;
}

const SECURITY = "/api/v2/security_monitoring";
const PACKS = ["cloudtrail", "azure", "gcp", "linux-auth", "windows", "workload"];

function need(isSo: boolean, message: string): asserts isSo {
  if (!isSo) throw new StepFault(message);
}

async function good(answer: Promise<Answer>, statuses: readonly number[], what: string): Promise<any> {
  const { status, body } = await answer;
  need(statuses.includes(status), `${what}: the server answers ${status} ${JSON.stringify(body)}`);
  return body;
}

const sent = async (server: TrialServer, events: readonly unknown[]): Promise<void> => void (await good(server.ask("POST", "/api/v2/logs", events), [202], "logs"));
const lines = async (server: TrialServer, text: string): Promise<void> => void (await good(server.ask("POST", "/api/v2/logs?ddsource=auth&service=linux-auth&ddtags=env:prod", text), [202], "lines"));

/** The how-to's verification, one after another: each stands on those before it. */
export const steps: readonly Step[] = [
  {
    what: "Agents report on hosts",
    async run(server) {
      for (const hostname of ["web-1", "dc-1"]) {
        await good(server.ask("POST", "/api/v1/metadata", { hostname, agent_metadata: { agent_version: "7.71.0", feature_logs_enabled: true, feature_cws_enabled: true } }), [202], "an Agent's inventory");
      }
      const { data } = await good(server.ask("GET", "/api/v2/hosts"), [200], "hosts");
      need(data.length === 2 && data.every(({ attributes }: any) => attributes.reporting && attributes.agent_version === "7.71.0" && attributes.modules.includes("workload protection")), `hosts are ${JSON.stringify(data)}`);
      const refused = await server.ask("POST", "/api/v1/metadata", { hostname: "stranger" }, {});
      need(refused.status === 401, `without a key an Agent is answered ${refused.status}`);
      return `${data.map(({ id }: any) => id).join(", ")} with version 7.71.0, logs and workload protection; without a key nobody reports`;
    },
  },
  {
    what: "security logs come in and are searched",
    async run(server) {
      await sent(server, [cloudTrail("iam", "ListUsers"), windowsFailure("mina")]);
      await lines(server, sshLines(["Failed"], { user: "invalid" }));
      const wanted = [["source:cloudtrail @evt.name:ListUsers", "CloudTrail"], ["source:auth status:error @usr.id:invalid @evt.outcome:failure", "auth.log"], ["source:windows.events @evt.id:4625", "Windows Security"]] as const;
      for (const [query, what] of wanted) need((await server.logs(query)).length === 1, `${what}: ${query} finds ${(await server.logs(query)).length} logs`);
      return `${wanted.map(([, what]) => what).join(", ")}, each found by its parsed attributes`;
    },
  },
  {
    what: "content packs are enabled",
    async run(server) {
      for (const pack of PACKS) await good(server.ask("PUT", `${SECURITY}/content_packs/${pack}/activate`), [204], pack);
      const { data } = await good(server.ask("GET", `${SECURITY}/content_packs/states`), [200], "states");
      const off = PACKS.filter((pack) => data.find(({ id }: any) => id === pack)?.attributes.cp_activation !== "activated");
      need(!off.length, `${off.join(", ")} are not activated`);
      const { meta } = await good(server.ask("GET", `${SECURITY}/rules?query=origin:default&page[size]=1`), [200], "rules");
      return `${PACKS.join(", ")}: ${meta.page.total_filtered_count} rules`;
    },
  },
  {
    what: "rules that come along make signals",
    async run(server) {
      await sent(server, [rootLogin(), cloudTrail("cloudtrail", "StopLogging", { requestParameters: { name: "all" } })]);
      const told = [...(await server.signals("@workflow.rule.id:aws-root-console-login")), ...(await server.signals("@workflow.rule.id:aws-cloudtrail-impaired"))];
      need(told.length === 2, `a root login and a stopped trail make ${told.length} signals`);
      return told.map(({ severity, title }) => `${severity} ${title}`).join("; ");
    },
  },
  {
    what: "a custom rule fires on a burst of failed logins",
    async run(server) {
      const { id } = await good(server.ask("POST", `${SECURITY}/rules`, bruteForceRule), [200], "the rule");
      await lines(server, sshLines(Array.from({ length: 10 }, () => "Failed" as const), { user: "deploy" }));
      const early = await server.signals(`@workflow.rule.id:${id}`);
      need(early.length === 0, "ten failures are a signal already, and more than ten are asked for");
      await lines(server, sshLines(["Failed"], { user: "deploy" }));
      const [signal, ...others] = await server.signals(`@workflow.rule.id:${id}`);
      need(signal !== undefined && others.length === 0 && signal.severity === "high" && signal.group["@usr.id"] === "deploy", `eleven failures make ${JSON.stringify(signal)}`);
      return `ten failures nothing, the eleventh: ${signal.severity} ${signal.title}, ${signal.group["@usr.id"]}`;
    },
  },
  {
    what: "workload protection is judged",
    async run(server) {
      await sent(server, [agentEvent("ssh_key_modification"), agentEvent("reverse_shell_args")]);
      const told = [...(await server.signals("@workflow.rule.id:wp-ssh-keys")), ...(await server.signals("@workflow.rule.id:wp-reverse-shell"))];
      need(told.length === 2 && told.every(({ group }) => group.host === "web-1"), `two events of agent rules make ${told.length} signals`);
      return told.map(({ severity, title, group }) => `${severity} ${title} on ${group.host}`).join("; ");
    },
  },
  {
    what: "the security dashboard shows them",
    async run(server) {
      await sent(server, [{ ...rootLogin(), recipientAccountId: "123456789012", network: { client: { ip: "198.51.100.9", geoip: { country: { name: "Iceland", iso_code: "IS" } } } } }]);
      const all = await server.signals("*");
      const { dashboards } = await good(server.ask("GET", "/api/v1/dashboard"), [200], "dashboards");
      const overview = dashboards.find(({ title }: any) => title === "Security Operations Overview");
      need(overview !== undefined, "there is no Security Operations Overview");
      const { widgets } = await good(server.ask("GET", `/api/v1/dashboard/${overview.id}`), [200], overview.title);
      const { data } = await good(server.ask("POST", "/api/v2/dashboards/widgets/query", { data: { attributes: { from: "now-1d", to: "now+1m", widgets } } }), [200], "its widgets");
      const shown = (title: string): any => data.attributes.widgets[widgets.findIndex(({ definition }: any) => definition.title === title)]?.shown ?? {};
      const rows = (title: string): [string, number][] => (shown(title).rows ?? []).map(({ name, values }: any) => [name, values[0]]);
      const sum = (of: readonly (readonly [string, number])[]): number => of.reduce((total, [, count]) => total + count, 0);
      const lines = (shown("Signal Count Over Time").series ?? []).map(({ name, points }: any): [string, number] => [name, points.reduce((total: number, [, value]: [number, number]) => total + value, 0)]);
      const [top, severities, countries] = [rows("Top Triggered Rules"), rows("Open Signals by Severity"), rows("Geographic Threat Map")];
      need(all.length > 4 && sum(lines) === all.length && sum(top) === all.length && sum(severities) === all.length, `of ${all.length} signals it shows ${sum(lines)} over time, ${sum(top)} by rule and ${sum(severities)} by severity`);
      need(shown("Critical Signals").value === all.filter(({ severity }) => severity === "critical").length, `it shows ${shown("Critical Signals").value} critical signals`);
      need(countries.some(([name, count]) => name === "Iceland" && count > 0), `by country it shows ${JSON.stringify(countries)}`);
      return `${overview.title}, ${widgets.length} widgets: ${all.length} signals of ${top.length} rules, ${severities.filter(([, count]) => count).map(([name, count]) => `${count} ${name}`).join(", ")}; ${countries.map(([name]) => name).join(", ")} on the map`;
    },
  },
  {
    what: "notifications reach Slack, PagerDuty or Jira",
    async run(server) {
      const { status } = await server.ask("GET", "/api/v2/security/signals/notification_rules");
      if (status === 404) throw new NotHere("there are no notification rules yet");
      throw new StepFault(`notification rules answer ${status}, and nothing here tries them`);
    },
  },
  {
    what: "suppressions keep noise away",
    async run(server) {
      const { data } = await good(server.ask("POST", `${SECURITY}/configuration/suppressions`, { data: { type: "suppressions", attributes: { name: "service accounts", enabled: true, rule_query: "*", suppression_query: "@usr.id:service-account-*" } } }), [200], "the suppression");
      const burst = (user: string): string => sshLines(Array.from({ length: 11 }, () => "Failed" as const), { user, from: "198.51.100.7" });
      await lines(server, burst("service-account-backup"));
      await lines(server, burst("mina"));
      const [quiet, loud] = [await server.signals("@usr.id:service-account-backup"), await server.signals('@usr.id:mina @workflow.rule.name:"Brute Force Login Detection - Custom"')];
      need(quiet.length === 0, `a service account has ${quiet.length} signals all the same: ${quiet.map(({ rule }) => rule).join(", ")}`);
      need(loud.length === 1, `somebody else has ${loud.length} signals`);
      const { data: stats } = await good(server.ask("GET", `${SECURITY}/configuration/suppressions/${data.id}/stats`), [200], "its numbers");
      need(stats.attributes.matches > 0, "the suppression counts nothing");
      return `@usr.id:service-account-* is silent (${stats.attributes.matches} stopped), another user's burst is told`;
    },
  },
  {
    what: "the signals API answers programs",
    async run(server) {
      const { data } = await good(server.ask("POST", `${SECURITY}/signals/search`, { filter: { query: "status:open severity:critical", from: "now-24h", to: "now" }, sort: { field: "timestamp", order: "desc" }, page: { limit: 25 } }), [200], "the search of the how-to");
      need(data.length > 0 && data.every(({ attributes }: any) => attributes.severity === "critical" && attributes.title && attributes.timestamp && attributes.custom.rule.name), `it finds ${JSON.stringify(data)}`);
      const denied = await server.ask("POST", `${SECURITY}/signals/search`, {}, {});
      need(denied.status === 401, `without keys it answers ${denied.status}`);
      return `${data.length} open critical with severity, title, rule and time: ${data[0].attributes.title}; without keys 401`;
    },
  },
];
