import type { FastifyRequest } from "fastify";

/**
 * The parameters of a request: those of a form body first, then those of the URL, as Go's http.Request.Form has them.
 * The body counts only when the form parser of {@link acceptForms} read it.
 */
export class RequestParameters {
  readonly #body: URLSearchParams | undefined;
  readonly #url: URLSearchParams;
  /** What Go says to parameters of the URL that can't be read; they are not among the others. */
  readonly problem: string | undefined;

  constructor(request: FastifyRequest) {
    this.#body = request.body instanceof URLSearchParams ? request.body : undefined;
    const queryStart = request.url.indexOf("?");
    const query = queryStart < 0 ? "" : request.url.slice(queryStart + 1);
    const broken = BROKEN_ESCAPE.exec(query)?.[0];
    this.problem = problemOf(query, broken);
    this.#url = new URLSearchParams(broken === undefined ? query : withoutBroken(query));
  }

  /** The first value, "" when there is none: in these APIs an empty parameter is a missing one. */
  get(name: string): string {
    return this.#body?.get(name) ?? this.#url.get(name) ?? "";
  }

  all(name: string): readonly string[] {
    return [...(this.#body?.getAll(name) ?? []), ...this.#url.getAll(name)];
  }
}

const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2}).{0,2}/;

function problemOf(query: string, broken: string | undefined): string | undefined {
  if (query.includes(";")) return "invalid semicolon separator in query";
  return broken === undefined ? undefined : `invalid URL escape ${JSON.stringify(broken)}`;
}

/** Go leaves out parameters whose escapes are broken (net/url.ParseQuery), where URLSearchParams takes them as they are. */
function withoutBroken(query: string): string {
  return query
    .split("&")
    .filter((parameter) => !BROKEN_ESCAPE.test(parameter))
    .join("&");
}
