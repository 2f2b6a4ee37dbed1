import { StageError } from "./stage.ts";

/** A key of an object, or an index of an array. */
export type JsonPath = readonly (string | number)[];

const STEP = /\s*(?:\[\s*(?:"([^"\]]*)["\]]?|(\d+))\s*\]|(\.)?\s*([A-Za-z_]\w*))\s*/y;

/** `a.b[0]["c d"]` (Loki's pkg/logql/log/jsonexpr). Throws {@link StageError}. */
export function parseJsonPath(text: string): JsonPath {
  const path: (string | number)[] = [];
  let at = 0;
  while (at < text.length || path.length === 0) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    const [all, key, index, dot, field] = match ?? [];
    const isFirst = path.length === 0;
    if (all === undefined || (field !== undefined && (dot === undefined) !== isFirst)) {
      throw new StageError(`cannot parse expression [${text}]: ${problemOf(text.slice(at))}`);
    }
    path.push(index === undefined ? ((key ?? field) as string) : Number(index));
    at += all.length;
  }
  return path;
}

function problemOf(rest: string): string {
  const strange = /^[\s\w.[\]"]*([^\s\w.[\]"])/.exec(rest);
  return strange ? `unexpected char ${strange[1]}` : "syntax error";
}
