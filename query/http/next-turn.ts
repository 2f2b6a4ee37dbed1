const waiting: (() => void)[] = [];
let isScheduled = false;

/**
 * Lets other work run before the caller goes on. Of all that wait here only one goes on per turn of the event loop, in the
 * order they came: with sixteen costly queries, a small request would else wait for a slice of each of them at every step
 * that it takes.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    schedule();
  });
}

/** An immediate that is set by another one runs after the loop has looked for new requests. */
function schedule(): void {
  if (isScheduled || waiting.length === 0) return;
  isScheduled = true;
  setImmediate(() => {
    isScheduled = false;
    waiting.shift()?.();
    schedule();
  });
}
