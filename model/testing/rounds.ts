/**
 * How many random cases to try: `few` on every change, SIGHTLINE_TEST_ROUNDS times as many where there is time. The seed is
 * another one each time, and is told with a failure, so that the runs of many changes try as many cases as one long run.
 */
export function rounds(few: number): number {
  return Math.max(1, Math.round(few * Number(process.env.SIGHTLINE_TEST_ROUNDS ?? 1)));
}
