import { LimitError } from "@sightline/model/errors.ts";

/**
 * A query that parses but can't be evaluated on this data: many-to-many matching, duplicate label sets, … Answered like
 * a limit (422 and errorType `execution`), as Prometheus does.
 */
export class EvaluationError extends LimitError {}
