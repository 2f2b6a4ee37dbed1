/** FNV-1a, 32 bit. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/**
 * The newest time up to `nowMs` at which a group has its turn: at every interval, shifted by a hash of its name, so that
 * groups spread over the interval and keep their place over restarts (Group.EvalTimestamp).
 */
export function slotAt(group: string, nowMs: number, intervalMs: number): number {
  const offsetMs = hashOf(group) % intervalMs;
  const shiftedMs = nowMs - offsetMs;
  return shiftedMs - (shiftedMs % intervalMs) + offsetMs;
}

/** The next one after an evaluation, and how many were missed meanwhile; it may be due already. */
export function nextSlot(slotMs: number, nowMs: number, intervalMs: number): { slotMs: number; missed: number } {
  const missed = Math.max(0, Math.floor((nowMs - slotMs) / intervalMs) - 1);
  return { slotMs: slotMs + (missed + 1) * intervalMs, missed };
}
