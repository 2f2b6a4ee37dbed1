import { inspect } from "node:util";

const HIDDEN = "<secret>";

/** A password, key or address with one in it. Whatever prints it (logs, JSON, YAML) prints `<secret>` instead. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
