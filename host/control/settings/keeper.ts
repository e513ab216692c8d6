import { randomInt, randomUUID } from "node:crypto";
import { createEngine } from "../../index.ts";
import { ProblemError } from "../../problem.ts";
import type { Members } from "../../rule/reader.ts";
import type { ReadSettings } from "../../rule/settings-reader.ts";
import { SettingStore, type SettingAuthor, type SettingDocument, type SettingKind, type StoredSetting } from "../../store/settings.ts";
import { ApiError, type ErrorDetail, notFound } from "../api-error.ts";
import type { ControlContext, Setup } from "../context.ts";
import type { Principal } from "../principal.ts";
import type { Call } from "../route.ts";

/** Something that is set, wherever it stands. */
export interface Entry<Form> {
  readonly id: string;
  readonly version: number;
  /** Attributes as they were given. */
  readonly document: SettingDocument;
  /** As detection uses it; undefined where what was stored cannot be read any more. */
  readonly form: Form | undefined;
  /** Undefined for what stands in a file of the server. */
  readonly stored: StoredSetting | undefined;
}

export interface Keeping<Form> {
  readonly kind: SettingKind;
  /** What people call it, as `Suppression`. */
  readonly noun: string;
  readonly read: (list: readonly unknown[]) => ReadSettings<Form>;
  /** Those that files give. */
  readonly given: (setup: Setup) => readonly (Form & { readonly id: string; readonly wire: Members })[];
  /** What detection would run by with these instead. */
  readonly replaced: (setup: Setup, entries: readonly Entry<Form>[]) => Setup;
  readonly isNameUnique: boolean;
}

export type Writing = Pick<Call, "principal" | "nowMs" | "audit" | "checkMatch">;

/** Of one kind; a rule is looked through for each of them. */
const MOST_SETTINGS = 2000;
const DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Suppressions, filters or assets: those of files, and those of the API, which are made, changed and deleted here. */
export class SettingKeeper<Form> {
  readonly store: SettingStore;
  readonly #context: ControlContext;
  readonly #keeping: Keeping<Form>;
  readonly #told = new Set<string>();

  constructor(context: ControlContext, keeping: Keeping<Form>) {
    this.#context = context;
    this.#keeping = keeping;
    this.store = new SettingStore(context.sql);
  }

  /** Those of files first. */
  entries(base: Setup = this.#context.base()): readonly Entry<Form>[] {
    const stored = this.store.list(this.#keeping.kind);
    const own = new Set(stored.map(({ id }) => id));
    const given = this.#keeping.given(base).filter(({ id }) => !own.has(id)).map((form): Entry<Form> => ({ id: form.id, version: 1, document: withoutServers(form.wire), form, stored: undefined }));
    return [...given, ...stored.map((each) => this.#entryOf(each))];
  }

  find(id: string): Entry<Form> | undefined {
    return this.entries().find((entry) => entry.id === id);
  }

  /** Throws a 404. */
  get(id: string): Entry<Form> {
    const entry = this.find(id);
    if (!entry) throw notFound(`not_found(${this.#keeping.noun} with id '${id}' not found)`);
    return entry;
  }

  complete(setup: Setup): Setup {
    return this.#keeping.replaced(setup, this.entries(setup));
  }

  /** Throws an `ApiError` with 400 and everything that is wrong. */
  check(document: SettingDocument): Form {
    const { values, problems } = this.#keeping.read([document]);
    const errors = problems.filter(({ level }) => level !== "warning");
    if (!errors.length) return values[0]!;
    const found = errors.map(({ place = "", message, hint }) => ({ field: place.replace(/^\w+\[0\]\.?/, ""), message: hint === undefined ? message : `${message}; ${hint}` }));
    const texts = found.map(({ field, message }) => `input_validation_error(Field 'data.attributes.${field}' is invalid: ${field === "rule_query" && document.rule_query ? "rule query is invalid" : message})`);
    throw new ApiError(400, [...new Set(texts)], { details: found.map(({ field, message }): ErrorDetail => ({ code: "InvalidArgument", message, target: `data.attributes.${field}` })) });
  }

  async create(call: Writing, document: SettingDocument): Promise<Entry<Form>> {
    const form = this.check(document);
    const id = this.#freeId();
    await this.#together([...this.entries(), { id, version: 1, document, form, stored: undefined }]);
    const stored = this.#context.sql.transaction(() => {
      this.#checkRoom(id, document);
      const made = this.store.create(this.#keeping.kind, id, document, authorOf(call.principal), call.nowMs);
      call.audit({ action: "created", asset: this.#asset(made), after: document });
      this.#note(call.nowMs);
      return made;
    });
    await this.#context.refresh();
    return this.#entryOf(stored);
  }

  /** Several at once, all of them or none; `beside` is done in the same transaction. */
  async createSome(call: Writing, documents: readonly SettingDocument[], beside: () => void): Promise<readonly Entry<Form>[]> {
    const forms = documents.map((document) => this.check(document));
    const ids = documents.map(() => this.#freeId());
    await this.#together([...this.entries(), ...documents.map((document, i): Entry<Form> => ({ id: ids[i]!, version: 1, document, form: forms[i], stored: undefined }))]);
    const made = this.#context.sql.transaction(() => {
      const all = documents.map((document, i) => {
        this.#checkRoom(ids[i]!, document);
        const stored = this.store.create(this.#keeping.kind, ids[i]!, document, authorOf(call.principal), call.nowMs);
        call.audit({ action: "created", asset: this.#asset(stored), after: document });
        return stored;
      });
      beside();
      this.#note(call.nowMs);
      return all;
    });
    await this.#context.refresh();
    return made.map((stored) => this.#entryOf(stored));
  }

  /** Changes what is given; `null` takes a member away. `version` is the one the caller read, where they say so. */
  async change(call: Writing, id: string, { version, ...change }: SettingDocument): Promise<Entry<Form>> {
    const entry = this.#own(id);
    call.checkMatch(entry.version);
    if (typeof version === "number" && version !== entry.version) throw conflict(entry.version);
    const document = Object.fromEntries(Object.entries({ ...entry.document, ...withoutServers(change) }).filter(([, value]) => value !== null && value !== undefined));
    const form = this.check(document);
    await this.#together(this.entries().map((each) => (each.id === id ? { ...entry, document, form } : each)));
    const stored = this.#context.sql.transaction(() => {
      this.#checkRoom(id, document);
      const written = this.store.write(entry.stored, document, authorOf(call.principal), call.nowMs);
      if (!written) throw conflict(entry.version + 1);
      call.audit({ action: "modified", asset: this.#asset(written), before: entry.document, after: document });
      this.#note(call.nowMs);
      return written;
    });
    await this.#context.refresh();
    return this.#entryOf(stored);
  }

  async remove(call: Writing, id: string): Promise<void> {
    const entry = this.#own(id);
    call.checkMatch(entry.version);
    this.#context.sql.transaction(() => {
      this.store.delete(this.#keeping.kind, id);
      call.audit({ action: "deleted", asset: this.#asset(entry.stored), before: entry.document });
      this.#note(call.nowMs);
    });
    await this.#context.refresh();
  }

  #own(id: string): Entry<Form> & { readonly stored: StoredSetting } {
    const entry = this.get(id);
    const { stored } = entry;
    if (!stored) throw new ApiError(403, `${this.#keeping.noun} ${id} stands in a file of the server; change it there`);
    return { ...entry, stored };
  }

  #entryOf(stored: StoredSetting): Entry<Form> {
    const { id, version, document } = stored;
    const { values, problems } = this.#keeping.read([{ ...document, id }]);
    const fault = problems.find(({ level }) => level !== "warning");
    if (fault && !this.#told.has(`${id} ${version}`)) {
      this.#told.add(`${id} ${version}`);
      this.#context.onFault(this.#keeping.kind, new Error(`${this.#keeping.noun} ${id} has no effect: ${fault.place ?? ""} ${fault.message}`));
    }
    return { id, version, document, form: fault ? undefined : values[0], stored };
  }

  /** Runs the engine with these, for no event at all: what is accepted runs, at the next start too. */
  async #together(entries: readonly Entry<Form>[]): Promise<void> {
    try {
      const engine = await createEngine({ ...this.#keeping.replaced(this.#context.setup(), entries), workers: 0, deduplicate: false });
      await engine.close({ goesOn: true });
    } catch (error) {
      const why = error instanceof ProblemError ? error.problems.map(({ message, hint }) => (hint === undefined ? message : `${message}; ${hint}`)) : [(error as Error).message];
      throw new ApiError(400, why.map((text) => `input_validation_error(the rules cannot run with it: ${text})`));
    }
  }

  #checkRoom(id: string, document: SettingDocument): void {
    const others = this.entries().filter((entry) => entry.id !== id);
    if (others.length >= MOST_SETTINGS) throw new ApiError(400, `there may be ${MOST_SETTINGS} of them at most`);
    if (this.#keeping.isNameUnique && others.some((other) => other.document.name === document.name)) throw new ApiError(409, `already_exists(${this.#keeping.noun} with name '${String(document.name)}' already exists)`);
  }

  /** All filters, as they stand behind a change. */
  #note(nowMs: number): void {
    if (this.#keeping.kind === "security_filter") this.store.noteConfiguration(this.store.list("security_filter").map(({ id, version, document }) => ({ ...document, id, version })), nowMs);
  }

  #asset({ id, document, kind }: Pick<StoredSetting, "id" | "document" | "kind">): { readonly type: string; readonly id: string; readonly name?: string } {
    return { type: kind, id, ...(typeof document.name === "string" ? { name: document.name } : {}) };
  }

  #freeId(): string {
    if (this.#keeping.kind === "critical_asset") return randomUUID();
    const part = (): string => Array.from({ length: 3 }, () => DIGITS[randomInt(DIGITS.length)]).join("");
    for (;;) {
      const id = `${part()}-${part()}-${part()}`;
      if (!this.find(id)) return id;
    }
  }
}

const servers = new Set(["id", "version", "editable", "creation_date", "creator", "update_date", "updater", "creation_author_id", "update_author_id", "is_builtin"]);

/** Without what only the server says. */
export function withoutServers(document: SettingDocument): SettingDocument {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !servers.has(name)));
}

export function authorOf({ userId, handle, name }: Principal): SettingAuthor {
  return { userId, handle, name };
}

function conflict(version: number): ApiError {
  return new ApiError(409, `it was changed by somebody else: it is at version ${version} now; read it again`);
}
