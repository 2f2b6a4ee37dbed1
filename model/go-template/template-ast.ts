/** Nodes of a Go template (text/template/parse). `start` and `end` are characters in its text. */
export type TemplateNode =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly pipe: Pipe }
  | BranchNode
  | { readonly kind: "break" }
  | { readonly kind: "continue" }
  /** `start` is that of the name. */
  | { readonly kind: "template"; readonly name: string; readonly pipe: Pipe | undefined; readonly start: number };

export type BranchNode = {
  readonly kind: "if" | "with" | "range";
  readonly pipe: Pipe;
  readonly list: readonly TemplateNode[];
  readonly elseList: readonly TemplateNode[];
};

/** `$a, $b := command | command`; with `isAssignment` the variables are there already. */
export type Pipe = {
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
  readonly start: number;
  readonly end: number;
};

/** A function with its arguments, or a lone value. */
export type Command = {
  readonly args: readonly [Operand, ...Operand[]];
  readonly start: number;
  readonly end: number;
};

type Place = { readonly start: number; readonly end: number };
export type Operand = Place &
  (
    | { readonly kind: "dot" }
    | { readonly kind: "nil" }
    | { readonly kind: "bool"; readonly value: boolean }
    | { readonly kind: "string"; readonly value: string }
    /** A constant that becomes what its place wants: `int` is absent where it has a fraction. */
    | { readonly kind: "number"; readonly float: number; readonly int: bigint | undefined }
    /** `at` is where messages about it point to: of a path of several names to the second. */
    | { readonly kind: "field"; readonly path: readonly string[]; readonly at: number }
    | { readonly kind: "variable"; readonly name: string; readonly path: readonly string[]; readonly at: number }
    | { readonly kind: "function"; readonly name: string }
    | { readonly kind: "pipe"; readonly pipe: Pipe; readonly path: readonly string[] }
  );

/** A text with templates in it, by the name that messages know it by. */
export type TemplateSource = { readonly name: string; readonly text: string };

export type NamedTemplate = {
  readonly name: string;
  readonly source: TemplateSource;
  readonly nodes: readonly TemplateNode[];
};

export type ParsedTemplate = {
  /** What stands outside of `define`; it has the name of its source. */
  readonly root: NamedTemplate;
  /** Made by `define` and `block`. */
  readonly named: ReadonlyMap<string, NamedTemplate>;
};
