import { randomInt } from "node:crypto";
import type { Problem } from "../../problem.ts";
import { isMembers } from "../../rule/reader.ts";
import type { Rule } from "../../rule/rule.ts";
import { RuleStore, type RuleAuthor, type RuleDocument } from "../../store/rules.ts";
import { ApiError, badRequest, notFound, problemsError } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Principal } from "../principal.ts";
import type { Call } from "../route.ts";
import { ruleAnswer, withoutServers } from "./answer.ts";
import { Catalogue, type Entry, judging } from "./catalogue.ts";
import { RuleCheck } from "./check.ts";
import { ageOf } from "./deprecation.ts";
import { type Overrides, changedOverrides, refusedFields, withOverrides } from "./overrides.ts";

type Editing = Pick<Call, "principal" | "audit" | "checkMatch" | "nowMs">;

export interface Edited {
  readonly entry: Entry;
  readonly lint: readonly Problem[];
}

/** A rule that is to be made, under an id of its own where it brings one. */
export interface NewRule {
  readonly document: RuleDocument;
  readonly id?: string;
}

/** Of the API; more would only make every change slow. */
const MOST_RULES = 10_000;
const ID = /^[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}$/;
const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";

/**
 * All changes of rules, one behind the other: each is looked at as it will stand beside the others, written, and judged by when its
 * promise resolves.
 */
export class RuleEditor {
  readonly #context: ControlContext;
  readonly #store: RuleStore;
  readonly #catalogue: Catalogue;
  readonly #check: RuleCheck;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: ControlContext, store: RuleStore, catalogue: Catalogue, check: RuleCheck) {
    this.#context = context;
    this.#store = store;
    this.#catalogue = catalogue;
    this.#check = check;
  }

  create(call: Editing, document: RuleDocument): Promise<Edited> {
    return this.#inTurn(async () => (await this.#add(call, [{ document }]))[0]!);
  }

  /** All or none. Those whose id a rule of the API has become its next version. */
  import(call: Editing, rules: readonly NewRule[]): Promise<readonly Edited[]> {
    return this.#inTurn(() => this.#add(call, rules));
  }

  update(call: Editing, id: string, change: RuleDocument): Promise<Edited> {
    return this.#inTurn(async () => {
      const entry = this.#entry(id);
      call.checkMatch(entry.stored.version);
      const { version } = change;
      if (version !== undefined && version !== null && version !== entry.stored.version) throw badRequest(`version: the rule is at version ${entry.stored.version} now, and the change was made of ${JSON.stringify(version)}; read it again`);
      const next = entry.kind === "own" ? merged(entry.stored.document, change) : this.#overridden(entry, change);
      if (change.isEnabled === true && ageOf(entry.base?.wire ?? next, call.nowMs) !== "current") throw badRequest("isEnabled: the rule is deprecated and judges no more; clone it");
      return await this.#write(call, entry, next);
    });
  }

  /** As it was at a version, as the next one. */
  restore(call: Editing, id: string, version: number): Promise<Edited> {
    return this.#inTurn(async () => {
      const entry = this.#entry(id, `Threat detection rule not found: ${id}`);
      if (entry.kind === "file") throw readOnly(entry);
      if (version === entry.stored.version) throw new ApiError(409, `version ${version} is the current one`, { details: [{ code: "AlreadyExists", message: `version ${version} is the current one`, target: "version" }] });
      const kept = this.#store.version(id, version);
      if (!kept) throw notFound(`Threat detection rule ${id} has no version ${version}`);
      return await this.#write(call, entry, entry.kind === "own" ? kept.document : kept.changes);
    });
  }

  /** As a rule of one's own: all that was changed of it is then its own, and it is disabled unless asked for. */
  clone(call: Editing, id: string, { name, isEnabled = false }: { readonly name?: string; readonly isEnabled?: boolean }): Promise<Edited> {
    return this.#inTurn(async () => {
      const entry = this.#entry(id);
      return (await this.#add(call, [{ document: cloned(entry, name, isEnabled) }]))[0]!;
    });
  }

  delete(call: Editing, id: string): Promise<void> {
    return this.#inTurn(async () => {
      const entry = this.#entry(id, `Threat detection rule not found: ${id}`);
      if (entry.kind === "default") throw new ApiError(403, "default rules cannot be deleted; disable it");
      if (entry.kind === "file") throw readOnly(entry);
      call.checkMatch(entry.stored.version);
      this.#drop(call, [entry]);
      await this.#taken();
    });
  }

  /** Those that could not be are left as they are. */
  deleteSome(call: Editing, ids: readonly string[]): Promise<{ readonly deleted: readonly string[]; readonly failed: readonly string[] }> {
    return this.#inTurn(async () => {
      const entries = [...new Set(ids)].map((id) => this.#catalogue.find(id)).filter((entry) => entry?.kind === "own") as Entry[];
      this.#drop(call, entries);
      if (entries.length) await this.#taken();
      const deleted = new Set(entries.map(({ stored }) => stored.id));
      return { deleted: [...deleted], failed: [...new Set(ids)].filter((id) => !deleted.has(id)) };
    });
  }

  /** Dates have passed: what is past its end goes, what is deprecated now judges no more. */
  tend(nowMs: number): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#catalogue.isStale(nowMs)) return;
      this.#catalogue.forget();
      this.#drop({ audit: (entry) => this.#context.audit.record(clock, entry, undefined, nowMs) }, this.#catalogue.gone());
      await this.#taken();
    });
  }

  async settled(): Promise<void> {
    await this.#turn;
  }

  async #add(call: Editing, rules: readonly NewRule[]): Promise<Edited[]> {
    const entries = this.#catalogue.entries();
    if (entries.filter(({ kind }) => kind === "own").length + rules.length > MOST_RULES) throw badRequest(`there may be ${MOST_RULES} rules of the API's own at most`);
    const taken = new Set(entries.map(({ stored }) => stored.id));
    const made = rules.map(({ document: given, id: asked }) => {
      const known = asked === undefined ? undefined : this.#store.get(asked);
      const isNext = known?.origin === "own";
      const id = isNext ? known.id : asked !== undefined && ID.test(asked) && !taken.has(asked) && !known ? asked : freeId((each) => taken.has(each) || this.#store.get(each) !== undefined);
      taken.add(id);
      const document = ownDocument(withoutServers(given));
      return { id, document, before: isNext ? known : undefined, ...this.#check.rule(document, { id, version: (isNext ? known.version : 0) + 1, isDefault: false }) };
    });
    await this.#check.together([...judging(entries).filter(({ id }) => !made.some((each) => each.id === id)), ...made.map(({ rule }) => rule)]);
    this.#context.sql.transaction(() => {
      for (const { id, document, before, rule } of made) {
        const write = { whole: document, document };
        if (!before) this.#store.create(id, "own", write, authorOf(call.principal), call.nowMs);
        else if (!this.#store.write(id, before.version, write, authorOf(call.principal), call.nowMs)) throw conflict();
        call.audit({ action: before ? "modified" : "created", asset: assetOf(rule), ...(before ? { before: before.document } : {}), after: document });
      }
    });
    await this.#taken();
    return made.map(({ id, lint }) => ({ entry: this.#entry(id), lint }));
  }

  async #write(call: Editing, entry: Entry, next: RuleDocument): Promise<Edited> {
    const { id, version, document: before } = entry.stored;
    const document = entry.kind === "own" ? ownDocument(withoutServers(next)) : next;
    const whole = entry.base ? withOverrides(entry.base.wire, document as Overrides) : document;
    const { rule, lint } = this.#check.rule(whole, { id, version: version + 1, isDefault: entry.kind === "default" });
    const others = this.#catalogue.entries().filter(({ stored }) => stored.id !== id);
    await this.#check.together([...judging(others), rule]);
    this.#context.sql.transaction(() => {
      if (!this.#store.write(id, version, { whole, document }, authorOf(call.principal), call.nowMs)) throw conflict();
      call.audit({ action: "modified", asset: assetOf(rule), before, after: document });
    });
    await this.#taken();
    return { entry: this.#entry(id), lint };
  }

  #overridden(entry: Entry, change: RuleDocument): RuleDocument {
    if (entry.kind === "file") throw readOnly(entry);
    const refused: string[] = [];
    const next = changedOverrides(entry.base!.wire, entry.stored.document as Overrides, { ...withoutServers(change), ...nullsOf(change) }, ruleAnswer(entry), (field) => refused.push(field));
    if (refused.length) throw problemsError(refusedFields(refused), "Invalid rule configuration");
    return next as RuleDocument;
  }

  #drop(call: Pick<Editing, "audit">, entries: readonly Entry[]): void {
    this.#context.sql.transaction(() => {
      for (const { stored, rule } of entries) {
        this.#store.delete(stored.id);
        call.audit({ action: "deleted", asset: assetOf(rule), before: stored.document });
      }
    });
  }

  #entry(id: string, otherwise?: string): Entry {
    const entry = this.#catalogue.find(id);
    if (!entry) throw notFound(otherwise);
    return entry;
  }

  async #taken(): Promise<void> {
    this.#catalogue.forget();
    await this.#context.refresh();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** What time does, nobody did. */
const clock: Principal = { userId: "", handle: "vespid", name: "vespid", email: "", authMethod: "NONE", permissions: new Set() };

function authorOf({ userId, handle, name }: Principal): RuleAuthor {
  return { userId, handle, name };
}

function assetOf({ id, name }: Rule): { readonly type: string; readonly id: string; readonly name: string } {
  return { type: "security_rule", id, name };
}

function conflict(): ApiError {
  return badRequest("version: somebody else has changed the rule meanwhile; read it again");
}

function readOnly({ stored }: Entry): ApiError {
  return new ApiError(403, `the rule ${stored.id} stands in a file of this server: edit the file, or clone the rule`);
}

/** A name or message of one's own is taken back with null. */
function nullsOf(change: RuleDocument): RuleDocument {
  return Object.fromEntries(["customName", "customMessage"].filter((name) => change[name] === null).map((name) => [name, null]));
}

/** Members that are given take the place of those there are; options that name no method are laid over the others. */
function merged(document: RuleDocument, change: RuleDocument): RuleDocument {
  const gone = Object.keys(change).filter((name) => change[name] === null);
  const kept = Object.fromEntries(Object.entries({ ...document, ...withoutServers(change) }).filter(([name]) => !gone.includes(name)));
  const { options } = change;
  if (!isMembers(options) || options.detectionMethod !== undefined || !isMembers(document.options)) return kept;
  return { ...kept, options: Object.fromEntries(Object.entries({ ...document.options, ...options }).filter(([, value]) => value !== null)) };
}

/** A vendor's cases are told a second time in answers; stored they stand once. */
function ownDocument(document: RuleDocument): RuleDocument {
  const { options, thirdPartyCases } = document;
  const isVendors = isMembers(options) && options.detectionMethod === "third_party" && Array.isArray(thirdPartyCases) && thirdPartyCases.length > 0;
  return isVendors ? Object.fromEntries(Object.entries(document).filter(([name]) => name !== "queries" && name !== "cases")) : document;
}

function cloned(entry: Entry, name: string | undefined, isEnabled: boolean): RuleDocument {
  const { customName: _name, customMessage: _message, deprecationDate: _date, replacedBy: _next, ...wire } = withoutServers(entry.rule.wire);
  const metadata = isMembers(wire.metadata) ? wire.metadata : {};
  return {
    ...wire, name: name ?? `Clone of ${entry.rule.name}`, message: entry.rule.message, isEnabled,
    queries: listOf(wire.queries).map(joined), cases: listOf(wire.cases).map(settledCase), ...(Array.isArray(wire.thirdPartyCases) ? { thirdPartyCases: listOf(wire.thirdPartyCases).map(settledCase) } : {}),
    metadata: { ...metadata, clonedFrom: entry.stored.id, ...(entry.kind === "default" ? { defaultRuleId: entry.stored.id } : {}) },
  };
}

function joined({ customQueryExtension: extension, ...query }: RuleDocument): RuleDocument {
  return typeof extension === "string" && extension.trim() !== "" ? { ...query, query: `(${String(query.query ?? "*")}) (${extension})` } : query;
}

function settledCase({ customStatus, ...each }: RuleDocument): RuleDocument {
  return customStatus === undefined || customStatus === null ? each : { ...each, status: customStatus };
}

function listOf(value: unknown): readonly RuleDocument[] {
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

function freeId(isTaken: (id: string) => boolean): string {
  const part = (): string => Array.from({ length: 3 }, () => DIGITS[randomInt(DIGITS.length)]).join("");
  for (;;) {
    const id = `${part()}-${part()}-${part()}`;
    if (!isTaken(id)) return id;
  }
}
