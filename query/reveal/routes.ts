import { ForbiddenError, InvalidInputError } from "@sightline/model/errors.ts";
import { SEALED_TEXT, type TextSealer } from "@sightline/model/sealed-text.ts";
import type { FastifyInstance } from "fastify";
import { Counter } from "prom-client";
import { z } from "zod";
import { type QueryApiDeps, type QueryHandler, registerQueryApi, sendJson } from "../http/query-api.ts";
import { sendPrometheusFailure } from "../prometheus-api/error-response.ts";

export type RevealDeps = QueryApiDeps & {
  /** Absent: no key is set. */
  readonly sealer?: TextSealer | undefined;
  /** Whether callers are told apart: without that everybody could read what was encrypted. */
  readonly hasKeys: boolean;
};

const request = z.strictObject({ texts: z.array(z.string()).min(1).max(10_000) });

/**
 * `POST /api/v1/reveal` with `{"texts": [...]}`, for keys with the scope `reveal`: the same texts, with what processors
 * encrypted of the caller's tenant in them as it was sent. Each call is logged and counted, without the texts.
 */
export function registerReveal(app: FastifyInstance, deps: RevealDeps): void {
  const { sealer, hasKeys, logger, registry } = deps;
  const revealed = new Counter({
    name: "sightline_revealed_texts_total",
    help: "Encrypted personal data that were shown as they were sent",
    registers: registry ? [registry] : [],
  });
  const reveal: QueryHandler = async ({ tenant, request: { body, ip }, reply }) => {
    if (!hasKeys) throw new ForbiddenError("nothing is revealed while everybody may call: set auth.mode to keys");
    if (!sealer) throw new InvalidInputError("nothing can be revealed: sealing_key_file is not set");
    let count = 0;
    const texts = parse(body).map((text) =>
      text.replace(SEALED_TEXT, (sealed) => {
        count++;
        return sealer.open(tenant, sealed);
      }),
    );
    revealed.inc(count);
    logger.info("encrypted personal data were revealed", { tenant, count, client: ip });
    return sendJson(reply, { status: "success", data: { texts } });
  };
  registerQueryApi(
    app,
    deps,
    sendPrometheusFailure,
    [{ methods: ["POST"], url: "/api/v1/reveal", handler: reveal, scope: "reveal" }],
    { rawBodies: true },
  );
}

function parse(body: unknown): readonly string[] {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.isBuffer(body) ? body.toString() : "");
  } catch (cause) {
    throw new InvalidInputError('the body must be JSON: {"texts": ["…"]}', { cause });
  }
  const parsed = request.safeParse(json);
  if (!parsed.success)
    throw new InvalidInputError(`the body must be {"texts": ["…"]}: ${parsed.error.issues[0]?.message}`);
  return parsed.data.texts;
}
