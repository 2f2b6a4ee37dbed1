import { SightlineError } from "@sightline/model/errors.ts";

/** A request that does not follow openapi.yaml, told in go-openapi's words: `{"code": 602, "message": "labels in body is required"}`. */
export class RequestProblem extends SightlineError {
  override readonly name = "RequestProblem";
  readonly status: 400 | 404 | 405 | 415 | 422;
  readonly code: number;

  private constructor(status: RequestProblem["status"], code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** `comment in body is required` */
  static missing(where: string): RequestProblem {
    return new RequestProblem(422, 602, `${where} is required`);
  }

  static tooFew(where: string): RequestProblem {
    return new RequestProblem(422, 612, `${where} should have at least 1 items`);
  }

  /** `format`: `uuid`, `uri`. */
  static wrongFormat(where: string, format: string, value: string): RequestProblem {
    return new RequestProblem(422, 601, `${where} must be of type ${format}: ${JSON.stringify(value)}`);
  }

  /** `what`: `alerts`, `silence`. */
  static unreadable(what: string, why: string): RequestProblem {
    return new RequestProblem(400, 400, `parsing ${what} body from "" failed, because ${why}`);
  }

  static mediaType(type: string): RequestProblem {
    const named = type === "" ? "" : ` ${JSON.stringify(type)}`;
    return new RequestProblem(415, 415, `unsupported media type${named}, only [application/json] are allowed`);
  }

  static method(method: string, allowed: readonly string[]): RequestProblem {
    return new RequestProblem(405, 405, `method ${method} is not allowed, but [${allowed.join(",")}] are`);
  }

  static path(path: string): RequestProblem {
    return new RequestProblem(404, 404, `path ${path} was not found`);
  }
}

/** As Go's decoder of JSON names it. */
export function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
