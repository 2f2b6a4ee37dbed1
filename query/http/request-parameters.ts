import type { FastifyRequest } from "fastify";

/**
 * The parameters of a request: those of a form body first, then those of the URL, as Go's http.Request.Form has them.
 * The body counts only when the form parser of {@link acceptForms} read it.
 */
export class RequestParameters {
  readonly #body: URLSearchParams;
  readonly #url: URLSearchParams;

  constructor(request: FastifyRequest) {
    this.#body = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const queryStart = request.url.indexOf("?");
    this.#url = new URLSearchParams(queryStart < 0 ? "" : withoutBroken(request.url.slice(queryStart + 1)));
  }

  /** The first value, "" when there is none: in these APIs an empty parameter is a missing one. */
  get(name: string): string {
    return this.#body.get(name) ?? this.#url.get(name) ?? "";
  }

  all(name: string): readonly string[] {
    return [...this.#body.getAll(name), ...this.#url.getAll(name)];
  }
}

const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2})/;

/** Go leaves out parameters whose escapes are broken (net/url.ParseQuery), where URLSearchParams takes them as they are. */
function withoutBroken(query: string): string {
  if (!BROKEN_ESCAPE.test(query)) return query;
  return query
    .split("&")
    .filter((parameter) => !BROKEN_ESCAPE.test(parameter))
    .join("&");
}
