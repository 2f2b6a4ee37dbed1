const STEP_MS = 10_000;
const COUNT = 58;

function line(i: number): string {
  if (i % 3 === 0)
    return JSON.stringify({ level: "info", n: i, took: `${i}ms`, user: { id: `u-${i % 4}` }, ok: i % 2 === 0 });
  if (i % 3 === 1) return `level=warn n=${i} took=${i}ms size=${i}KB ratio=${i / 8} msg="it took ${i}"`;
  return `plain line ${i} of many`;
}

/** A push request in JSON: lines of three kinds in streams of two apps, within ten minutes from `startMs` on. */
export function shopPush(startMs: number): string {
  const values = Array.from({ length: COUNT }, (_, i) => [
    `${startMs + i * STEP_MS}${String(i).padStart(6, "0")}`,
    line(i),
    i % 5 === 0 ? { user: `ann ${i % 2}`, trace_id: String(i).padStart(32, "a") } : {},
  ]);
  const stream = (app: string, env: string, keep: (i: number) => boolean) => ({
    stream: { app, env },
    values: values.filter((_, i) => keep(i)),
  });
  const streams = [
    stream("shop", "prod", (i) => i % 2 === 0),
    stream("shop", "dev", (i) => i % 2 === 1),
    stream("pay", "prod", (i) => i % 4 === 0),
  ];
  return JSON.stringify({ streams });
}
