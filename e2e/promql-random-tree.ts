/**
 * A query as a tree of texts, so that it can be made smaller and still be a query. `write` puts the texts of the children
 * together; `simpler` lists trees of the same type that say less. `chooses` says that the tree is some of the series of its
 * last child, and what decides where that leaves a choice: the order of series (`any`), or that among equal values (`ties`).
 * `common`, of deviations, writes how much larger the members of each group are than what lies between them.
 */
export type QueryTree = {
  readonly type: "scalar" | "vector" | "matrix" | "string" | "log";
  readonly children: readonly QueryTree[];
  readonly write: (children: readonly string[]) => string;
  readonly simpler?: readonly QueryTree[];
  readonly chooses?: "ties" | "any";
  readonly common?: (children: readonly string[]) => string;
};

export function textOf(tree: QueryTree): string {
  return tree.write(tree.children.map(textOf));
}

export function leaf(type: QueryTree["type"], text: string, simpler: readonly QueryTree[] = []): QueryTree {
  return { type, children: [], write: () => text, simpler };
}

/** The parts that choose, without those inside of them. */
export function choicesIn(tree: QueryTree): QueryTree[] {
  const inner = tree.children.flatMap(choicesIn);
  return tree.chooses ? [{ ...tree, children: tree.children.map(withoutChoices) }, ...inner] : inner;
}

/** The same with all series in place of those that were chosen. */
export function withoutChoices(tree: QueryTree): QueryTree {
  const children = tree.children.map(withoutChoices);
  return tree.chooses ? (children.at(-1) as QueryTree) : { ...tree, children };
}

/** Each tree one step smaller: something inside replaced by a part of it, or by something simpler. */
export function* smaller(tree: QueryTree): Generator<QueryTree> {
  for (const child of descendants(tree)) if (child.type === tree.type) yield child;
  yield* tree.simpler ?? [];
  for (const [index, child] of tree.children.entries()) {
    for (const replacement of smaller(child)) {
      yield { ...tree, children: tree.children.with(index, replacement), simpler: [] };
    }
  }
}

export function* descendants(tree: QueryTree): Generator<QueryTree> {
  yield* tree.children;
  for (const child of tree.children) yield* descendants(child);
}

/**
 * The smallest tree found for which `fails` still holds, looking at no more than `attempts`. Results of any type that can be
 * asked for are tried as a whole, too.
 */
export async function shrink(
  tree: QueryTree,
  fails: (tree: QueryTree) => Promise<boolean>,
  attempts: number,
): Promise<QueryTree> {
  let best = tree;
  let left = attempts;
  for (let found = true; found; ) {
    found = false;
    const parts = [...descendants(best)].filter(({ type }) => type !== "string" && type !== "matrix");
    for (const candidate of [...parts, ...smaller(best)]) {
      if (left-- <= 0) return best;
      if (textOf(candidate).length >= textOf(best).length || !(await fails(candidate))) continue;
      best = candidate;
      found = true;
      break;
    }
  }
  return best;
}
