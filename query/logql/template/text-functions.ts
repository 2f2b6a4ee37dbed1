import {
  ofStrings,
  type TemplateFunction,
  type TemplateFunctions,
} from "@sightline/model/go-template/template-function.ts";
import { goTitle, goToLower, goToUpper, urlEncode } from "@sightline/model/go-text.ts";
import { compileRegex, type Regex } from "@sightline/model/regex.ts";
import { regexProblem } from "../parse/problems.ts";
import { base64Decode } from "./base64-decode.ts";

/** Go's strings.Trim and its siblings: characters of the set go away at the ends. */
function trimSet(text: string, set: string, atStart: boolean, atEnd: boolean): string {
  const characters = new Set(set);
  const all = [...text];
  let [from, to] = [0, all.length];
  while (atStart && from < to && characters.has(all[from] as string)) from++;
  while (atEnd && to > from && characters.has(all[to - 1] as string)) to--;
  return all.slice(from, to).join("");
}

function trimPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

function trimSuffix(text: string, suffix: string): string {
  return suffix !== "" && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

/** Part of a text by bytes of UTF-8, as Go cuts it; half a character becomes a replacement character. */
function bytes(text: string, from: number, to?: number): string {
  return Buffer.from(text).subarray(from, to).toString();
}

/** Takes so long for each character that a text counts several times towards what a run may make of its line. */
function costly(call: (text: string) => string): TemplateFunction {
  return {
    parameters: ["string"],
    call: ([text], context) => {
      context.reserve((text as string).length * 8);
      return call(text as string);
    },
  };
}

const truncate: TemplateFunction = {
  parameters: ["int", "string"],
  call: ([count, text]) => {
    const [wanted, length] = [Number(count), Buffer.byteLength(text as string)];
    if (wanted < 0 && length + wanted > 0) return bytes(text as string, length + wanted);
    return wanted >= 0 && length > wanted ? bytes(text as string, 0, wanted) : (text as string);
  },
};

const substring: TemplateFunction = {
  parameters: ["int", "int", "string"],
  call: ([start, end, text]) => {
    const [from, to, length] = [Number(start), Number(end), Buffer.byteLength(text as string)];
    if (from < 0) return checkedSlice(text as string, 0, to, length);
    return checkedSlice(text as string, from, to < 0 || to > length ? length : to, length);
  },
};

function checkedSlice(text: string, from: number, to: number, length: number): string {
  if (to < 0 || to > length) throw new Error(`runtime error: slice bounds out of range [:${to}] with length ${length}`);
  if (from > to) throw new Error(`runtime error: slice bounds out of range [${from}:${to}]`);
  return bytes(text, from, to);
}

const repeat: TemplateFunction = {
  parameters: ["int", "string"],
  call: ([count, text], context) => {
    const times = Number(count);
    if (times < 0) throw new Error("strings: negative Repeat count");
    context.reserve(times * (text as string).length);
    return (text as string).repeat(times);
  },
};

function indentation(prefix: string): TemplateFunction {
  return {
    parameters: ["int", "string"],
    call: ([count, text], context) => {
      const width = Number(count);
      if (width < 0) throw new Error("strings: negative Repeat count");
      context.reserve(width * (text as string).split("\n").length);
      const pad = " ".repeat(width);
      return prefix + pad + (text as string).replaceAll("\n", `\n${pad}`);
    },
  };
}

function alignment(isRight: boolean): TemplateFunction {
  return {
    parameters: ["int", "string"],
    call: ([count, text], context) => {
      const characters = [...(text as string)];
      const width = Number(count);
      if (width < 0 || width === characters.length) return text as string;
      const missing = width - characters.length;
      if (missing < 0)
        return (isRight ? characters.slice(-width || characters.length) : characters.slice(0, width)).join("");
      context.reserve(missing);
      return isRight ? " ".repeat(missing) + text : text + " ".repeat(missing);
    },
  };
}

/** strings.Replace with a count; below 0 all. */
const replaceSome: TemplateFunction = {
  parameters: ["string", "string", "string", "int"],
  call: ([text, from, to, count], context) => {
    context.reserve((text as string).length);
    const parts = (text as string).split(from as string);
    const limit = Number(count) < 0 ? parts.length - 1 : Math.min(Number(count), parts.length - 1);
    context.reserve((text as string).length + limit * (to as string).length);
    const replaced = parts.slice(0, limit + 1).join(to as string);
    return limit + 1 < parts.length ? replaced + from + parts.slice(limit + 1).join(from as string) : replaced;
  },
};

const replaceAll: TemplateFunction = {
  parameters: ["string", "string", "string"],
  call: ([from, to, text], context) => {
    context.reserve(countOf(text as string, from as string) * (to as string).length);
    return (text as string).replaceAll(from as string, () => to as string);
  },
};

function countOf(text: string, part: string): number {
  if (part === "") return text.length + 1;
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

function compiled(source: string): Regex {
  try {
    return compileRegex(source);
  } catch (error) {
    throw new Error(regexProblem(error), { cause: error });
  }
}

function regexReplacement(isLiteral: boolean): TemplateFunction {
  return {
    parameters: ["string", "string", "string"],
    call: ([source, text, to], { charactersLeft }) =>
      compiled(source as string).replaceAll(text as string, to as string, isLiteral, charactersLeft),
  };
}

function urlDecode(text: string): string {
  const wrong = /%(?![\da-fA-F]{2}).{0,2}/s.exec(text);
  if (wrong) throw new Error(`invalid URL escape ${JSON.stringify(wrong[0])}`);
  const parts = text.replaceAll("+", " ").split(/((?:%[\da-fA-F]{2})+)/);
  return parts
    .map((part, i) => (i % 2 === 0 ? part : Buffer.from(part.replaceAll("%", ""), "hex").toString()))
    .join("");
}

/** Functions of text: Loki's own, and those of sprig that it lists (pkg/logql/log/fmt.go). */
export const TEXT_FUNCTIONS: TemplateFunctions = {
  ToLower: ofStrings(1, (text = "") => goToLower(text)),
  ToUpper: ofStrings(1, (text = "") => goToUpper(text)),
  Replace: replaceSome,
  Trim: ofStrings(2, (text = "", set = "") => trimSet(text, set, true, true)),
  TrimLeft: ofStrings(2, (text = "", set = "") => trimSet(text, set, true, false)),
  TrimRight: ofStrings(2, (text = "", set = "") => trimSet(text, set, false, true)),
  TrimPrefix: ofStrings(2, (text = "", prefix = "") => trimPrefix(text, prefix)),
  TrimSuffix: ofStrings(2, (text = "", suffix = "") => trimSuffix(text, suffix)),
  TrimSpace: ofStrings(1, (text = "") => text.trim()),
  lower: ofStrings(1, (text = "") => goToLower(text)),
  upper: ofStrings(1, (text = "") => goToUpper(text)),
  title: costly(goTitle),
  trunc: truncate,
  substr: substring,
  contains: ofStrings(2, (part = "", text = "") => text.includes(part)),
  hasPrefix: ofStrings(2, (prefix = "", text = "") => text.startsWith(prefix)),
  hasSuffix: ofStrings(2, (suffix = "", text = "") => text.endsWith(suffix)),
  indent: indentation(""),
  nindent: indentation("\n"),
  replace: replaceAll,
  repeat,
  trim: ofStrings(1, (text = "") => text.trim()),
  trimAll: ofStrings(2, (set = "", text = "") => trimSet(text, set, true, true)),
  trimSuffix: ofStrings(2, (suffix = "", text = "") => trimSuffix(text, suffix)),
  trimPrefix: ofStrings(2, (prefix = "", text = "") => trimPrefix(text, prefix)),
  alignLeft: alignment(false),
  alignRight: alignment(true),
  regexReplaceAll: regexReplacement(false),
  regexReplaceAllLiteral: regexReplacement(true),
  count: ofStrings(2, (source = "", text = "") => BigInt(compiled(source).count(text))),
  urldecode: ofStrings(1, (text = "") => urlDecode(text)),
  urlencode: costly(urlEncode),
  b64enc: ofStrings(1, (text = "") => Buffer.from(text).toString("base64")),
  b64dec: ofStrings(1, (text = "") => base64Decode(text)),
};
