import { AuditStore } from "../../store/audit.ts";
import type { SqlDriver } from "../../store/driver.ts";
import type { AuditEntry, AuditTrail } from "../audit-trail.ts";
import type { Principal } from "../principal.ts";
import type { CallHead } from "../route.ts";
import { auditRecord } from "./record.ts";

/** Writes down what is done, in the transaction that does it. */
export class StoredTrail implements AuditTrail {
  readonly #store: AuditStore;
  readonly #onRecord: () => void;

  /** @param onRecord called behind each record; whether it stays is known once its transaction has ended. */
  constructor(sql: SqlDriver, onRecord: () => void = () => {}) {
    this.#store = new AuditStore(sql);
    this.#onRecord = onRecord;
  }

  record(who: Principal, entry: AuditEntry, head: Pick<CallHead, "method" | "path" | "peer" | "userAgent" | "requestId"> | undefined, nowMs: number): void {
    this.#store.append(auditRecord(who, entry, head, nowMs));
    this.#onRecord();
  }
}
