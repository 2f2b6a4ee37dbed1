/** How names that are not of the old kind (`http.server`) are written. */
export type Escaping = "allow-utf-8" | "underscores" | "dots" | "values";
export type ExpositionFormat = {
  readonly kind: "text" | "openmetrics" | "protobuf";
  readonly escaping: Escaping;
  readonly contentType: string;
};

const ESCAPINGS: ReadonlySet<string> = new Set<Escaping>(["allow-utf-8", "underscores", "dots", "values"]);
const PROTOBUF = "application/vnd.google.protobuf";
const MESSAGE = "io.prometheus.client.MetricFamily";

/**
 * What the `Accept` header of a scraper asks for, by quality and then by order (expfmt.NegotiateAccept of Prometheus'
 * common library); text when nothing fits. Prometheus itself federates no OpenMetrics; here a scraper that prefers it
 * gets it.
 */
export function negotiateFormat(accept: string): ExpositionFormat {
  let escaping: Escaping = "underscores";
  for (const { type, parameters } of clausesOf(accept)) {
    const wanted = parameters.get("escaping");
    if (wanted !== undefined && ESCAPINGS.has(wanted)) escaping = wanted as Escaping;
    const version = parameters.get("version");
    if (type === PROTOBUF && parameters.get("proto") === MESSAGE && parameters.get("encoding") === "delimited") {
      return formatOf("protobuf", `${PROTOBUF}; proto=${MESSAGE}; encoding=delimited`, escaping);
    }
    if (type === "application/openmetrics-text" && (version ?? "0.0.1").match(/^(0\.0\.1|1\.0\.0)$/)) {
      return formatOf("openmetrics", `${type}; version=${version ?? "0.0.1"}; charset=utf-8`, escaping);
    }
    if (type === "text/plain" && (version ?? "0.0.4") === "0.0.4") break;
  }
  return formatOf("text", "text/plain; version=0.0.4; charset=utf-8", escaping);
}

function formatOf(kind: ExpositionFormat["kind"], type: string, escaping: Escaping): ExpositionFormat {
  return { kind, escaping, contentType: `${type}; escaping=${escaping}` };
}

type Clause = { readonly type: string; readonly quality: number; readonly parameters: ReadonlyMap<string, string> };

function clausesOf(accept: string): Clause[] {
  const clauses = accept.split(",").map((text) => {
    const [type = "", ...rest] = text.split(";").map((part) => part.trim());
    const parameters = new Map(
      rest.map((part) => {
        const equals = part.indexOf("=");
        return [part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).replace(/^"|"$/g, "")] as const;
      }),
    );
    const quality = Number(parameters.get("q") ?? "1");
    return { type: type.toLowerCase(), quality: Number.isNaN(quality) ? 1 : quality, parameters };
  });
  return clauses.sort((a, b) => b.quality - a.quality);
}
