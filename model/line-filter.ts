export type LineFilter = { readonly op: "|=" | "!=" | "|~" | "!~"; readonly text: string };
