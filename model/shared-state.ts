/** Keeps bytes for a while, for all processes. May forget whatever it likes, and never throws. */
export interface SharedCache {
  /** Larger values are not kept. */
  readonly maxBytes: number;
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, bytes: Uint8Array): Promise<void>;
}

/** What a process has taken from a token bucket since it last said so. */
export type UsedRate = {
  readonly bucket: string;
  readonly ratePerSecond: number;
  readonly burst: number;
  readonly amount: number;
};
/** Tokens that are left, below 0 for a debt, and how many processes take from the bucket. */
export type SharedRate = { readonly left: number; readonly sharers: number };
/** Token buckets from which several processes take. */
export interface SharedRates {
  /** In the order of `used`. Throws `UnavailableError`: then it may or may not have been counted. */
  exchange(used: readonly UsedRate[]): Promise<readonly SharedRate[]>;
}

/** The right to do something alone, for a while. Of two holders the later one has the higher token. */
export type Lease = { readonly name: string; readonly token: number };
/**
 * Leases between processes. A holder that is held up may believe in its lease for longer than others do: whoever writes something
 * under a lease should write its token along and refuse lower ones.
 */
export interface Leases {
  /** Undefined while somebody else, or this process itself, has it. Throws `UnavailableError`. */
  acquire(name: string, ttlMs: number): Promise<Lease | undefined>;
  /** False when it is lost. Throws `UnavailableError`: nobody knows then whether it is lost, until its time is over. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Of one that is lost: nothing happens. Throws `UnavailableError`. */
  release(lease: Lease): Promise<void>;
}

/** Processes that share some work. */
export interface Members {
  /** Says for a while that this process is one of them. Gives the ids of all, its own first. Throws `UnavailableError`. */
  announce(work: string, ttlMs: number): Promise<readonly string[]>;
  /** It is none of them any more. Throws `UnavailableError`. */
  leave(work: string): Promise<void>;
}

/** Somebody who wants to be the one of several that is listened to. */
export type Candidacy = {
  /** What for. */
  readonly office: string;
  readonly candidate: string;
  /** An elected one for whom nobody stood for so long is not elected any more. */
  readonly ttlMs: number;
  /** Whom this process knows to be elected, and for how long from now on: they are, should nobody else know of one. */
  readonly incumbent?: Elected | undefined;
};
export type Elected = { readonly name: string; readonly ttlMs: number };

/** Members of groups who want a place, of which there are so many in the whole list and in each of its groups (0: any number). */
export type PlaceClaim = {
  readonly list: string;
  readonly maxPlaces: number;
  readonly maxPerGroup: number;
  /** A place that was not claimed again for so long is free. */
  readonly ttlMs: number;
  readonly groups: readonly PlaceGroup[];
};
/** Members are integers below 2 ** 53. */
export type PlaceGroup = { readonly name: string; readonly members: readonly number[] };

/** What several processes limit together. */
export interface SharedLimits {
  /** Who is elected, in the order of the candidacies: one whose candidate is elected is so for `ttlMs` more. Throws `UnavailableError`. */
  elect(candidacies: readonly Candidacy[]): Promise<readonly Elected[]>;
  /**
   * Says of each group's members, in their order, who has a place now. Who has one keeps it. Throws `UnavailableError`: then
   * some may have got one.
   */
  claim(claim: PlaceClaim): Promise<readonly (readonly boolean[])[]>;
  /** Adds to counters that are forgotten `ttlMs` after the last time, and gives what they are then. Throws `UnavailableError`. */
  count(list: string, added: ReadonlyMap<string, number>, ttlMs: number): Promise<ReadonlyMap<string, number>>;
}
