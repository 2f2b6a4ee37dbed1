import { StageError } from "./stage.ts";

/** A key of an object, or an index of an array. */
export type JsonPath = readonly (string | number)[];

type Token = { readonly kind: "DOT" | "LSB" | "RSB" | "STRING" | "FIELD" | "INDEX" | "$end"; readonly text: string };

const TOKEN = /[ \t\n]*(?:(\.)|(\[)|(\])|"([^"\]]*)["\]]?|([A-Za-z_]\w*)|(\d+)(?=[\s\].]|$))/y;
const KINDS = ["DOT", "LSB", "RSB", "STRING", "FIELD", "INDEX"] as const;

/** `a.b[0]["c d"]` (Loki's pkg/logql/log/jsonexpr). Throws {@link StageError}. */
export function parseJsonPath(text: string): JsonPath {
  const tokens = tokensOf(text);
  const path: (string | number)[] = [];
  let at = 0;
  const take = (...expected: readonly Token["kind"][]): Token => {
    const token = tokens[at++] as Token;
    if (expected.includes(token.kind)) return token;
    const list = expected.filter((kind) => kind !== "$end").join(" or ");
    const problem = `syntax error: unexpected ${token.kind}${expected.includes("$end") ? "" : `, expecting ${list}`}`;
    throw new StageError(`cannot parse expression [${text}]: ${problem}`);
  };
  let token = take("LSB", "FIELD");
  while (token.kind !== "$end") {
    if (token.kind === "LSB") {
      const key = take("STRING", "INDEX");
      take("RSB");
      path.push(key.kind === "INDEX" ? Number(key.text) : key.text);
    } else {
      path.push((token.kind === "DOT" ? take("FIELD") : token).text);
    }
    token = take("DOT", "LSB", "$end");
  }
  return path;
}

/** Up to the end, or to what is no token. */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const group = match.findIndex((part, i) => i > 0 && part !== undefined);
    tokens.push({ kind: KINDS[group - 1] as Token["kind"], text: match[group] as string });
    if (match[6] !== undefined && text[TOKEN.lastIndex] === ".") {
      tokens.pop();
      break;
    }
  }
  tokens.push({ kind: "$end", text: "" });
  return tokens;
}
