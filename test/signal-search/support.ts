import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignalMaker, type MadeSignal, writeSignals } from "../../bench/signals-data.ts";
import { SignalSearch, type SignalSearchOptions } from "../../host/signal-search/signal-search.ts";
import { searchable } from "../../host/signal-search/searchable.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalStore } from "../../host/store/signals.ts";
import type { PlainSignal } from "../reference/signal-search.ts";

/** A data folder with signals, and the search over them. */
export class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), "vespid-signal-search-"));
  readonly path = join(this.#folder, "vespid.db");
  readonly sql = SqlDriver.open(this.path, migrations);
  readonly search: SignalSearch;

  constructor(signals: Iterable<MadeSignal>, options: SignalSearchOptions = {}) {
    writeSignals(this.sql, signals);
    this.search = new SignalSearch(this.path, options);
  }

  write(...signals: readonly MadeSignal[]): void {
    writeSignals(this.sql, signals);
  }

  async remove(...ids: readonly string[]): Promise<void> {
    for (const id of ids) this.sql.run("DELETE FROM signals WHERE id = ?", id);
    await this.search.gone(ids);
  }

  /** All that is stored, as the reference reads it. */
  plain(): PlainSignal[] {
    return new SignalStore(this.sql).all().map(searchable);
  }

  async close(): Promise<void> {
    await this.search.close();
    this.sql.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export function made(count: number, seed = 3): MadeSignal[] {
  const maker = new SignalMaker(seed, count);
  return Array.from({ length: count }, (_, i) => maker.make(i));
}

type Changes = Omit<Partial<MadeSignal>, "document" | "triage"> & { readonly document?: Partial<MadeSignal["document"]>; readonly attributes?: NonNullable<MadeSignal["document"]["details"]>["attributes"]; readonly triage?: Partial<MadeSignal["triage"]> };

/** One made signal with some things about it as a test needs them. */
export function like(signal: MadeSignal, { document, attributes, triage, ...rest }: Changes): MadeSignal {
  const details = { ...signal.document.details!, ...(attributes ? { attributes } : {}), ...(document?.tags ? { tags: document.tags } : {}) };
  return { ...signal, ...rest, document: { ...signal.document, details, ...document }, triage: { ...signal.triage, ...triage } };
}
