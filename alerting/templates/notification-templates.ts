import { glob, readFile, stat } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { BUILTIN_FUNCTIONS } from "@sightline/model/go-template/builtin-functions.ts";
import type { GoValue } from "@sightline/model/go-template/go-value.ts";
import { TemplateSyntaxError } from "@sightline/model/go-template/parse-template.ts";
import type { ParsedTemplate, TemplateSource } from "@sightline/model/go-template/template-ast.ts";
import { TemplateExecutionError, TemplateLimitError } from "@sightline/model/go-template/template-budget.ts";
import type { TemplateFunction, TemplateFunctions } from "@sightline/model/go-template/template-function.ts";
import { TemplateSet } from "@sightline/model/go-template/template-set.ts";
import { DEFAULT_TEMPLATES } from "./default-templates.ts";
import { EMAIL_TEMPLATE } from "./email-template.ts";
import { HtmlContext } from "./html-context.ts";
import { EscapedText, escapeFor } from "./html-escape.ts";
import type { NotificationData } from "./notification-data.ts";
import { NOTIFICATION_FUNCTIONS, type NotificationContext } from "./notification-functions.ts";
import { dataValue } from "./template-values.ts";

/** A template can't be read or run. The message is Go's. */
export class NotificationTemplateError extends Error {
  override readonly name = "NotificationTemplateError";
  /** It would have taken more than the limits allow. */
  readonly isLimit: boolean;
  constructor(message: string, options: ErrorOptions) {
    super(message, options);
    const { cause } = options;
    this.isLimit = cause instanceof TemplateLimitError || (cause instanceof NotificationTemplateError && cause.isLimit);
  }
}

export type NotificationTemplateLimits = {
  /** Of one rendered text. */
  readonly maxCharacters: number;
  /** Nodes and calls for one text. */
  readonly maxSteps: number;
  /** CPU time for one text. */
  readonly maxCpuMs?: number | undefined;
};

const MAX_FILES = 1_000;
const MAX_FILE_BYTES = 1024 * 1024;
/** Texts of receivers that are kept parsed. */
const MAX_PARSED = 1_000;

/** `html` and `urlquery` tell in a page what they have escaped; Go leaves out its own escaping for them. */
const HTML_FUNCTIONS: TemplateFunctions<NotificationContext> = {
  ...NOTIFICATION_FUNCTIONS,
  html: escaping("html"),
  urlquery: escaping("urlquery"),
};

function escaping(name: "html" | "urlquery"): TemplateFunction {
  const builtin = BUILTIN_FUNCTIONS[name] as TemplateFunction;
  const print = BUILTIN_FUNCTIONS.print as TemplateFunction;
  return {
    ...builtin,
    call: (...given) => new EscapedText(name, String(builtin.call(...given)), String(print.call(...given))),
  };
}

/** Go's filepath.Match refuses what is not closed. */
function isPattern(text: string): boolean {
  return /^(?:[^\\[]|\\.|\[\^?(?:[^\\\]]|\\.)+\])*$/s.test(text);
}

/** One kind of output: texts, or pages of HTML. */
class Templates {
  readonly #set: TemplateSet<NotificationContext>;
  readonly #parsed = new Map<string, ParsedTemplate>();

  constructor(functions: TemplateFunctions<NotificationContext>, limits: NotificationTemplateLimits) {
    this.#set = new TemplateSet(functions, {
      maxOutputCharacters: limits.maxCharacters,
      maxSteps: limits.maxSteps,
      ...(limits.maxCpuMs !== undefined && { maxCpuMs: limits.maxCpuMs }),
      setting: " (alerting.notify.max_template_chars)",
    });
  }

  add(source: TemplateSource): void {
    this.#set.add(source);
  }

  get names(): readonly string[] {
    return this.#set.names;
  }

  parsed(text: string): ParsedTemplate {
    let parsed = this.#parsed.get(text);
    if (!parsed) {
      parsed = this.#set.parse({ name: "", text });
      if (this.#parsed.size >= MAX_PARSED) this.#parsed.clear();
      this.#parsed.set(text, parsed);
    }
    return parsed;
  }

  execute(text: string, input: Parameters<TemplateSet<NotificationContext>["execute"]>[1]): string {
    return this.#set.execute(this.parsed(text), input);
  }
}

/**
 * The templates of one configuration: Alertmanager's names, then those of the user's files. Texts and pages have the same
 * definitions, as in its template.Template.
 */
export class NotificationTemplates {
  readonly #text: Templates;
  readonly #html: Templates;

  /** Files in the order in which they take each other's place. Throws {@link NotificationTemplateError}. */
  constructor(files: readonly TemplateSource[], limits: NotificationTemplateLimits) {
    this.#text = new Templates(NOTIFICATION_FUNCTIONS, limits);
    this.#html = new Templates(HTML_FUNCTIONS, limits);
    const own = [
      { name: "default.tmpl", text: DEFAULT_TEMPLATES },
      { name: "email.tmpl", text: EMAIL_TEMPLATE },
    ];
    for (const source of [...own, ...files]) {
      withTemplateErrors(() => {
        this.#text.add(source);
        this.#html.add(source);
      });
    }
  }

  /**
   * Reads the files that the patterns name, relative ones seen from `dir`; a pattern need not match. Throws
   * {@link NotificationTemplateError} with the file's name, or `InvalidInputError`.
   */
  static async load(
    patterns: readonly string[],
    dir: string,
    limits: NotificationTemplateLimits,
  ): Promise<NotificationTemplates> {
    const files: TemplateSource[] = [];
    for (const pattern of patterns) {
      if (!isPattern(pattern)) throw new InvalidInputError("syntax error in pattern");
      const paths: string[] = [];
      for await (const path of glob(isAbsolute(pattern) ? pattern : join(dir, pattern))) paths.push(path);
      for (const path of paths.sort()) {
        if (files.length >= MAX_FILES) throw new InvalidInputError(`templates: more than ${MAX_FILES} files`);
        files.push({ name: basename(path), text: await readTemplate(path) });
      }
    }
    return new NotificationTemplates(files, limits);
  }

  /** What can be called by name. */
  get names(): readonly string[] {
    return this.#text.names;
  }

  /** Throws {@link NotificationTemplateError} when a receiver's text is no template. */
  check(text: string): void {
    withTemplateErrors(() => this.#text.parsed(text));
  }

  /** Throws {@link NotificationTemplateError}. `nowMs` is what the functions `now` and `since` go by. */
  renderText(text: string, data: NotificationData, nowMs: number): string {
    if (text === "") return "";
    return withTemplateErrors(() =>
      this.#text.execute(text, { data: this.#value(data), context: { nowMs, routeLabels: data.routeLabels } }),
    );
  }

  /** With values escaped for their place, as html/template does. Throws {@link NotificationTemplateError}. */
  renderHtml(text: string, data: NotificationData, nowMs: number): string {
    if (text === "") return "";
    const context = new HtmlContext();
    const onText = (piece: string) => context.feed(piece);
    const show = (value: GoValue) => {
      const shown = escapeFor(context.place(), value);
      context.feedValue(shown);
      return shown;
    };
    const input = { data: this.#value(data), context: { nowMs, routeLabels: data.routeLabels }, show, onText };
    const page = withTemplateErrors(() => this.#html.execute(text, input));
    return withoutComments(page, context.comments);
  }

  /** Kept for one set of data: a notification has many texts. */
  #lastData: { readonly data: NotificationData; readonly value: GoValue } | undefined;
  #value(data: NotificationData): GoValue {
    if (this.#lastData?.data !== data) this.#lastData = { data, value: dataValue(data) };
    return this.#lastData.value;
  }
}

async function readTemplate(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`templates: could not read ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** html/template leaves comments out: they may say what is nobody's business. */
function withoutComments(page: string, comments: readonly { readonly start: number; readonly end: number }[]): string {
  let out = "";
  let from = 0;
  for (const { start, end } of comments) {
    out += page.slice(from, start);
    from = end;
  }
  return out + page.slice(from);
}

function withTemplateErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof TemplateSyntaxError || cause instanceof TemplateExecutionError)
      throw new NotificationTemplateError(cause.message, { cause });
    throw cause;
  }
}
