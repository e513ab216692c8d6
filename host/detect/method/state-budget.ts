/** Somebody whose state counts against a budget. */
export interface BudgetHolder {
  readonly stateBytes: number;
  /** Gives back some of its memory, what is needed least of it; false when there is nothing left to give. */
  giveWay(): boolean;
}

/**
 * Memory that the detectors of all rules share. Where it runs short the largest holder gives way, so that no rule's flood of
 * keys costs another rule what it knows. Nothing but the holders' own sizes decides: the same events give the same answers.
 */
export class StateBudget {
  readonly bytes: number;
  readonly #holders: BudgetHolder[] = [];

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  join(holder: BudgetHolder): void {
    this.#holders.push(holder);
  }

  /** May the holder take so many bytes more? False when it is the largest itself, then: it makes do with what it has. */
  allows(holder: BudgetHolder, moreBytes: number): boolean {
    for (;;) {
      let held = 0;
      let largest = holder;
      let largestBytes = holder.stateBytes + moreBytes;
      for (const each of this.#holders) {
        const bytes = each.stateBytes;
        held += bytes;
        if (bytes > largestBytes) [largest, largestBytes] = [each, bytes];
      }
      if (held + moreBytes <= this.bytes) return true;
      if (largest === holder || !largest.giveWay()) return false;
    }
  }
}

/** Whoever has a budget of their own. */
export function unlimitedBudget(): StateBudget {
  return new StateBudget(Number.POSITIVE_INFINITY);
}

/** Groups that are objects: nobody knows their size without looking at each. */
export interface GroupHolder {
  readonly groupCount: number;
  /** Bytes of all groups, about. */
  measure(): number;
  /** Gives up the groups least lately seen, a sixteenth of them, at least one; false when there are none. */
  giveWay(): boolean;
}

/** A detector's part of a budget, where it keeps its groups as objects: they are measured anew once they may have grown by an eighth. */
export class GroupBudget {
  readonly #budget: StateBudget;
  readonly #groups: GroupHolder;
  readonly #holder: BudgetHolder;
  #measured = 0;
  /** Groups there were when it was measured. */
  #count = 0;
  #nextAt = 0;

  constructor(budget: StateBudget, groups: GroupHolder) {
    this.#budget = budget;
    this.#groups = groups;
    const bytes = (): number => this.#bytes();
    this.#holder = {
      get stateBytes() {
        return bytes();
      },
      giveWay: () => groups.giveWay(),
    };
    budget.join(this.#holder);
  }

  /** Makes room for another group, whoever has to give way for it. */
  makeRoom(): void {
    if (this.#groups.groupCount >= this.#nextAt) this.look();
  }

  /** Measures the groups, which may have grown, and makes room for an eighth more of them. */
  look(): void {
    for (;;) {
      const count = this.#groups.groupCount;
      this.#measured = this.#groups.measure();
      this.#count = count;
      const more = Math.max(MORE_GROUPS, count >> 3);
      this.#nextAt = count + more;
      if (this.#budget.allows(this.#holder, more * LEAST_GROUP_BYTES)) return;
      // Only as many anew as give way; where even the few are too large, they are looked at again.
      this.#nextAt = count;
      if (!this.#groups.giveWay() || this.#bytes() <= this.#budget.bytes) return;
    }
  }

  /** As of the last look: what came since counts as little, what went as much as the others. */
  #bytes(): number {
    const { groupCount } = this.#groups;
    if (groupCount >= this.#count) return this.#measured + (groupCount - this.#count) * LEAST_GROUP_BYTES;
    return (this.#measured * groupCount) / this.#count;
  }
}

const MORE_GROUPS = 64;
const LEAST_GROUP_BYTES = 600;
