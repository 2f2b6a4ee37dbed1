import { mutateText } from "../mutate/text.ts";
import type { FuzzTarget } from "../target.ts";

/** What reads a text, with texts that it takes. */
export function textTarget(
  name: string,
  share: number,
  seeds: readonly string[],
  run: (text: string) => unknown,
): FuzzTarget {
  return {
    name,
    share,
    seeds: seeds.map((seed) => Buffer.from(seed)),
    mutate: mutateText,
    run: (bytes) => run(Buffer.from(bytes).toString()),
  };
}
