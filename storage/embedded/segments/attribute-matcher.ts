import { type AttributeColumn, type Attributes, attributeValue } from "@sightline/model/attributes.ts";
import { compileMatcher, type Matcher } from "@sightline/model/matcher.ts";

/** A batch as far as attributes go; `resources[refs[row]]` are those of a row's resource. */
export type RowsWithAttributes = {
  readonly attributes: readonly AttributeColumn[];
  readonly resources: readonly Attributes[];
  readonly refs: Uint32Array;
};

/** Tests rows by their attributes or, where they lack them, by those of their resource. Throws `InvalidInputError`. */
export function compileAttributeMatchers(
  matchers: readonly Matcher[],
): (rows: RowsWithAttributes) => (row: number) => boolean {
  const compiled = matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
  return ({ attributes, resources, refs }) => {
    const tests = compiled.map(({ name, test }) => {
      const columns = attributes.filter((column) => column.name === name);
      const ofResource = resources.map((resource) => test(attributeValue(resource, name)));
      return (row: number) => {
        for (const { values } of columns) {
          const value = values[row];
          if (value !== undefined) return test(value);
        }
        return ofResource[refs[row] as number] === true;
      };
    });
    return (row) => tests.every((test) => test(row));
  };
}
