import type { JsonObject } from '../internal/json.ts';
import type { Owner } from './run-store.ts';

/** Who somebody is, by the word of an identity provider. An e-mail address is nobody's identity: it changes hands. */
export interface UserIdentity {
  readonly tenantId: string;
  /** `iss` of OpenID Connect. */
  readonly issuer: string;
  /** `sub` of OpenID Connect; unique with the issuer. */
  readonly subject: string;
}

/** What the provider tells of somebody: standard claims of OpenID Connect, `null` where it does not. */
export interface UserProfile {
  readonly name: string | null;
  readonly email: string | null;
  /** Whether the provider says that the address is theirs. */
  readonly emailVerified: boolean;
  /** URL of a picture. */
  readonly picture: string | null;
  /** Language, as `de-CH`. */
  readonly locale: string | null;
  /** Time zone, as `Europe/Zurich`. */
  readonly zoneinfo: string | null;
}

/** A user as the store keeps it. */
export interface UserRecord extends UserIdentity, Owner {
  readonly profile: UserProfile;
  readonly roles: readonly string[];
  readonly isDisabled: boolean;
  /** Rises when what was granted before counts no more. A token names the epoch that it was made in. */
  readonly epoch: number;
  /** What the user has set, by name. */
  readonly preferences: JsonObject;
  /** Unix milliseconds by the store's clock. */
  readonly createdAt: number;
  readonly signedInAt: number;
}

/** What changes about a user; what is not named stays. */
export interface UserChanges {
  /** A change raises the epoch. */
  readonly roles?: readonly string[] | undefined;
  /** A change raises the epoch. */
  readonly isDisabled?: boolean | undefined;
  /** Raises the epoch: whoever is signed in has to sign in again. */
  readonly revokeTokens?: boolean | undefined;
  /** Those to set, by name; `null` removes one. Others stay. */
  readonly preferences?: JsonObject | undefined;
}

/** Users with their profiles and preferences. Access is decided by the application; here is what it needs to know. */
export interface UserStore {
  /** Creates or finds the user and takes over the profile. A disabled user is returned unchanged. */
  signIn(identity: UserIdentity, profile: UserProfile): Promise<UserRecord>;
  /** The user, or `null`. */
  get(owner: Owner): Promise<UserRecord | null>;
  /** The users of a tenant, the newest first; `before` is the `userId` after which the page begins. */
  list(
    tenantId: string,
    page: { readonly limit: number; readonly before?: string | undefined },
  ): Promise<readonly UserRecord[]>;
  /** Changes a user; `null` when there is none. */
  update(owner: Owner, changes: UserChanges): Promise<UserRecord | null>;
  /** Deletes the user with profile and preferences; runs and conversations are deleted where they are. Twice is no error. */
  delete(owner: Owner): Promise<void>;
}
