import type { LogPattern, LogPatternMiner } from "@sightline/model/log-pattern-store.ts";
import { LineBytes } from "./line-bytes.ts";
import { PatternSums } from "./pattern-sums.ts";
import { ServicePatterns } from "./service-patterns.ts";
import type { Tally } from "./template-miner.ts";

/** Lines of further ones are left out. */
const MAX_TEMPLATES = 10_000;

/** Patterns of lines that are given to it, by the rules of ingest. */
export class LinePatternMiner implements LogPatternMiner {
  readonly #tally: Tally = { templates: 0 };
  readonly #lines = new ServicePatterns({ maxStreams: 0, tally: this.#tally });
  readonly #line = new LineBytes();
  readonly #mayLookCloser = () => this.#tally.templates < MAX_TEMPLATES;

  add(line: string, level: string, timeMs: number): void {
    if (line === "") return;
    const { bytes } = this.#line;
    this.#line.set(line);
    const miner = this.#lines.miner(level);
    miner.find(bytes, 0, this.#line.length, this.#mayLookCloser)?.add(0, timeMs / 1_000, 1);
  }

  patterns(): readonly LogPattern[] {
    const sums = new PatternSums();
    for (const [level, template] of this.#lines.templates()) sums.addTemplate(template, level);
    return sums.patterns();
  }
}
