import type { Expr } from "../ast.ts";
import { childExprs } from "../child-exprs.ts";
import { parseErrorAt } from "./position.ts";

/**
 * Parentheses of {@link TokenStream.nested} around chains of operators of the parser's own limit multiply; everything that
 * walks a tree does so by recursion.
 */
const MAX_DEPTH = 1_600;

/** Throws `ParseError` when the tree is too deep to be walked by recursion. */
export function checkDepth(text: string, expr: Expr): Expr {
  let level: readonly Expr[] = [expr];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) {
      const [deepest] = level as readonly [Expr];
      throw parseErrorAt(text, deepest.range, `expression is a tree of more than ${MAX_DEPTH} levels`);
    }
    level = level.flatMap(childExprs);
  }
  return expr;
}
