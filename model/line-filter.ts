/** What the body of a log record must have, or not: a text, or (`|~`, `!~`) a match of an RE2 expression anywhere. */
export type LineFilter = { readonly op: "|=" | "!=" | "|~" | "!~"; readonly text: string };
