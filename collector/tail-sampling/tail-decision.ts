import { z } from "zod";

const traceIds = z.array(z.string());

const decisionBody = z.object({
  kept: z.array(z.object({ policy: z.string(), ratio: z.number(), traces: traceIds })),
  dropped: traceIds,
});

/**
 * What was decided about traces: it bears on all spans of theirs at lower positions of the log that still wait. It is
 * a record of the log itself, so that a replay decides the same and the store gets the same batch at the same position.
 */
export type TailDecision = z.output<typeof decisionBody>;

/** The name of such a record among the protocols. It is stored in the log: never rename it. */
export const TAIL_DECISION = "tail-sampling-decision";

export function encodeTailDecision(decision: TailDecision): Uint8Array {
  return Buffer.from(JSON.stringify(decision));
}

/** Throws when the bytes are not what {@link encodeTailDecision} wrote. */
export function decodeTailDecision(body: Uint8Array): TailDecision {
  return decisionBody.parse(JSON.parse(Buffer.from(body).toString()));
}
