import { ApiError } from "../api-error.ts";
import type { KeyStore } from "../../store/keys.ts";
import type { PeopleStore, StoredRole, StoredUser } from "../../store/people.ts";
import type { Principal } from "../principal.ts";
import { permissionsOf } from "./doorkeeper.ts";
import { ADMIN_ROLE_ID } from "./managed-roles.ts";

const LISTED = 5;

/** Whose power reaches how far: nobody gives, takes or governs more than they hold themselves. Each throws an `ApiError` with 403. */
export class Grants {
  readonly #people: PeopleStore;
  readonly #keys: KeyStore;

  constructor(people: PeopleStore, keys: KeyStore) {
    this.#people = people;
    this.#keys = keys;
  }

  checkHolds({ permissions }: Principal, names: Iterable<string>): void {
    const more = [...names].filter((name) => !permissions.has(name as never));
    if (more.length) throw new ApiError(403, `nobody gives, takes or changes what they do not hold themselves: ${more.slice(0, LISTED).join(", ")}${more.length > LISTED ? ", ..." : ""}`);
  }

  /** A role is given, taken and changed by those who hold all of it, and see all that its users see. */
  checkRole(principal: Principal, role: Pick<StoredRole, "permissions" | "restrictionQuery">): void {
    this.checkHolds(principal, role.permissions);
    if (!principal.restriction) return;
    const own = this.#people.grantsOf(principal.userId).map(({ restrictionQuery }) => restrictionQuery);
    if (role.restrictionQuery === undefined || !own.includes(role.restrictionQuery)) throw new ApiError(403, "nobody gives sight of what they do not see themselves");
  }

  /** An account is changed by those who may all that it may: by its address or password one could become it. */
  checkGoverns(principal: Principal, user: StoredUser): void {
    for (const role of this.#people.grantsOf(user.id)) this.checkRole(principal, role);
  }

  /** Held to a part of what its owner may? */
  isScoped({ applicationKeyId }: Principal): boolean {
    return applicationKeyId !== undefined && this.#keys.get(applicationKeyId)?.scopes !== undefined;
  }

  /** @param scopes undefined: all that the owner may, also later on */
  checkScopes(principal: Principal, owner: StoredUser, scopes: readonly string[] | undefined): void {
    if (owner.id !== principal.userId) this.checkGoverns(principal, owner);
    if (scopes) this.checkHolds(principal, scopes);
    else if (this.isScoped(principal)) throw new ApiError(403, "a key that has scopes makes none without: name scopes");
    else this.checkHolds(principal, permissionsOf(this.#people.grantsOf(owner.id)));
  }

  /** After a change, in its transaction, which this undoes: somebody is left who may everything. */
  checkAdminLeft(): void {
    if (this.#people.activeUsersOf(ADMIN_ROLE_ID) === 0) throw new ApiError(400, "the last administrator stays one; give another active user the role first");
  }
}
