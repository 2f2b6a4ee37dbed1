import type { SyntaxNode } from "@lezer/common";

/** Parentheses may nest so deep: they are walked by recursion. */
export const MAX_DEPTH = 200;

/**
 * The grammar's lists are left-recursive (`A: A item | item`): their items in order. A loop, as a long list would be a
 * deep recursion.
 */
export function spine(list: SyntaxNode | null, listName: string): SyntaxNode[] {
  const items: SyntaxNode[] = [];
  for (let node = list; node; ) {
    let child = node.lastChild;
    let next: SyntaxNode | null = null;
    for (; child; child = child.prevSibling) {
      if (child.name === listName) next = child;
      else items.push(child);
    }
    node = next;
  }
  return items.reverse();
}
