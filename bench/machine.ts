import { availableParallelism, cpus, totalmem } from "node:os";

/** What figures were measured on. */
export function machine() {
  return {
    cpu: cpus()[0]?.model,
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}
