import { setImmediate as nextTurn } from "node:timers/promises";

/** A query that takes longer than this is one whose user waits anyway: everything else gets its full share again. */
const HURRY_MS = 2_000;
/** While queries are in a hurry one of all background jobs goes on so often. */
const BACKGROUND_EVERY_MS = 40;

const LATELY_MS = 60_000;
/** Who asks one thing after the other is not made to wait in between. */
const LULL_MS = 100;
const LOOK_FOR_LULL_EVERY_MS = 20;

/** How often the delay of the event loop is measured while queries are in a hurry. */
const LOOK_EVERY_MS = 10;
/** A query takes some dozen turns: with turns as long as this, a second. */
const MAX_DELAY_MS = 30;
const MIN_SHARE = 0.15;
/** To begin with: what has gathered in front of the event loop would hold the first turns of a query. */
const HURRY_SHARE = 0.4;
/** Per look, so that a second of long turns takes it to its lowest, and a few seconds of short ones back. */
const LESS = 0.9;
const MORE = 1.03;
/** Without queries in a hurry the share grows so fast. */
const RECOVERY_PER_SECOND = 0.5;

let running = 0;
let share = 1;
let lookedMs = 0;
let isLooking = false;
let newestBeganMs = Number.NEGATIVE_INFINITY;
let newestEndedMs = Number.NEGATIVE_INFINITY;
const waiting: (() => void)[] = [];
let isScheduled = false;

/**
 * Says that somebody waits for the answer to a query from now on; to be called back once when there is one. A query takes
 * many turns of the event loop, each as long as what all others do in it: so these do less meanwhile. There is one event
 * loop for all of a thread, so this is not an object that is handed around.
 */
export function beginQuery(): () => void {
  running++;
  newestBeganMs = performance.now();
  look();
  return () => {
    running--;
    newestEndedMs = performance.now();
  };
}

/** Whether anybody has asked anything lately, so that what is new is likely to be asked for. */
export function isQueried(): boolean {
  return running > 0 || performance.now() - newestBeganMs < LATELY_MS;
}

/** Whether others should keep their part of a turn short. */
export function queriesHurry(): boolean {
  return running > 0 && performance.now() - newestBeganMs < HURRY_MS;
}

/**
 * For work that can wait and holds the event loop, or a core, for longer than a turn should be: settles when nobody has
 * waited for an answer for a moment, or after `maxMs`, so that it is done in the end where somebody asks all the time.
 */
export async function lull(maxMs: number): Promise<void> {
  const untilMs = performance.now() + maxMs;
  for (;;) {
    const nowMs = performance.now();
    if (nowMs >= untilMs || (running === 0 && nowMs - newestEndedMs >= LULL_MS)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_FOR_LULL_EVERY_MS));
  }
}

/**
 * What those that take requests in may use of the time, above 0, at most 1: less as long as the turns of queries come late,
 * whatever keeps them waiting. What is not taken in for that is refused once it has waited too long.
 */
export function shareBesideQueries(): number {
  if (isLooking || share === 1) return share;
  const restedMs = Math.max(0, performance.now() - lookedMs);
  return Math.min(1, share + (RECOVERY_PER_SECOND * restedMs) / 1_000);
}

function look(): void {
  if (isLooking) return;
  share = Math.min(HURRY_SHARE, shareBesideQueries());
  isLooking = true;
  lookedMs = performance.now();
  setTimeout(() => {
    isLooking = false;
    const now = performance.now();
    const delayMs = now - lookedMs - LOOK_EVERY_MS;
    share = delayMs > MAX_DELAY_MS ? Math.max(MIN_SHARE, LESS * share) : Math.min(1, MORE * share);
    lookedMs = now;
    if (queriesHurry()) look();
  }, LOOK_EVERY_MS).unref();
}

/**
 * The next turn for work that nobody waits for, such as writing files, which has been done for some milliseconds. Where
 * there are queries now and then, one slice of one such job is done per turn, in the order they came; while queries are
 * in a hurry, one per {@link BACKGROUND_EVERY_MS}.
 */
export function backgroundTurn(): Promise<void> {
  if (!isQueried() && waiting.length === 0) return nextTurn();
  return new Promise((resolve) => {
    waiting.push(resolve);
    schedule();
  });
}

function schedule(): void {
  if (isScheduled || waiting.length === 0) return;
  isScheduled = true;
  const goOn = () => {
    isScheduled = false;
    waiting.shift()?.();
    schedule();
  };
  if (queriesHurry()) setTimeout(goOn, BACKGROUND_EVERY_MS);
  else setImmediate(goOn);
}
