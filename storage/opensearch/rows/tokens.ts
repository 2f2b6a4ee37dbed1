/**
 * How many short texts go into one field: one after the other, as one value, which the index cuts up again. A list of values would
 * cost OpenSearch three times as much for each of them. JSON has the separator as one byte, and hardly any attribute has it.
 */
const SEPARATOR = "\u007f";
const ESCAPED = "\ufffd";

export const TOKENS_ANALYSIS = {
  tokenizer: {
    // `char_group` looks every character up in a hash table, which costs several times as much.
    sightline_tokens: { type: "simple_pattern", pattern: `[^${SEPARATOR}]+` },
  },
  analyzer: { sightline_tokens: { type: "custom", tokenizer: "sightline_tokens" } },
};
export const TOKENS_FIELD = { type: "text", analyzer: "sightline_tokens", index_options: "docs", norms: false };

/** Of texts that are not empty and that are {@link withoutSeparator}. */
export function joinTokens(tokens: readonly string[]): string {
  return tokens.join(SEPARATOR);
}

/** One more at the end of those that are joined already. */
export function withToken(joined: string, token: string): string {
  return joined === "" ? token : `${joined}${SEPARATOR}${token}`;
}

/** Documents of earlier versions have a list. */
export function splitTokens(field: string | readonly string[] | undefined): readonly string[] {
  if (field === undefined || field === "") return [];
  return typeof field === "string" ? field.split(SEPARATOR) : field;
}

/** The same for several texts, of which only one can be without U+FFFD. */
export function withoutSeparator(text: string): string {
  return text.includes(SEPARATOR) ? text.replaceAll(SEPARATOR, ESCAPED) : text;
}
