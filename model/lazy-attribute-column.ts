import type { AttributeColumn, AttributeType } from "./attributes.ts";
import type { Utf8Texts } from "./utf8-texts.ts";

/** A column whose values become strings when somebody asks for them, as bodies do in a `LazyLogBatch`. */
export class LazyAttributeColumn implements AttributeColumn {
  readonly name: string;
  readonly type: AttributeType;
  declare readonly values: readonly (string | undefined)[];
  #bytes: Utf8Texts | undefined;
  #strings: readonly (string | undefined)[] | undefined;

  constructor(name: string, type: AttributeType, bytes: Utf8Texts) {
    this.name = name;
    this.type = type;
    this.#bytes = bytes;
    // Its own, so that a copy by `{ ...column }` has it, and one for all, so that all columns have the same shape.
    Object.defineProperty(this, "values", LazyAttributeColumn.#VALUES);
  }

  static readonly #VALUES: PropertyDescriptor & ThisType<LazyAttributeColumn> = {
    enumerable: true,
    get() {
      return this.#asStrings();
    },
  };

  get bytes(): Utf8Texts | undefined {
    return this.#bytes;
  }

  #asStrings(): readonly (string | undefined)[] {
    this.#strings ??= (this.#bytes as Utf8Texts).toValues();
    this.#bytes = undefined;
    return this.#strings;
  }
}
