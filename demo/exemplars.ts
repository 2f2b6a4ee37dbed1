import type { Attributes, SpanContext } from "@opentelemetry/api";

/** A measured value and the trace it was measured in. */
export type Exemplar = { readonly value: number; readonly timeMs: number; readonly context: SpanContext };

/** The latest exemplar of each data point of a histogram, by its attributes: at most one per point and collection. */
export class ExemplarReservoir {
  #byPoint = new Map<string, Exemplar>();

  offer(attributes: Attributes, exemplar: Exemplar): void {
    this.#byPoint.set(pointKey(attributes), exemplar);
  }

  /** The exemplars since the last call. */
  take(): ReadonlyMap<string, Exemplar> {
    const taken = this.#byPoint;
    this.#byPoint = new Map();
    return taken;
  }
}

/** Equal for equal attributes, in whatever order. */
export function pointKey(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
