/**
 * A part of the process whose memory grows with what it is sent or asked. The server watches the memory of the whole
 * process and asks its parts to give some back before it refuses work.
 */
export interface MemoryPart {
  /** The label `part` of `sightline_memory_bytes`. */
  readonly name: string;
  /** What it holds, about. Cheap: asked several times a second. */
  memoryBytes(): number;
  /** Writes to disk ahead of time what is in memory only. Not called again before it settles. */
  flush?(): Promise<void>;
  /** Forgets what can be read or made again. Synchronous. */
  shrink?(): void;
}

/** Says whether there is memory for more work. */
export interface MemoryGate {
  /**
   * Throws `TooManyRequestsError` when the process is near its memory limit, or would be with so many bytes more; the
   * message names the setting.
   */
  admit(bytes: number): void;
}
