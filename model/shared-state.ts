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
