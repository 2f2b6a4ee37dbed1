import type { Label, Labels } from "@sightline/model/labels.ts";

/** Where labels are put together whose JSON has a byte per character; longer ones are rare. */
const scratch = Buffer.allocUnsafeSlow(4_096);
const OPENING_BRACE = 123;
const CLOSING_BRACE = 125;
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;

/** Names with their colon, as long as they have a byte per character; the same ones come with every label set. */
const nameJson = new Map<string, Buffer>();
const MAX_NAMES = 4_096;
const MAX_NAME_LENGTH = 256;

/** An object of the labels, in their order, as `JSON.stringify` would write it. */
export function labelsJson(labels: Labels): string {
  let end = 0;
  for (let i = 0; i < labels.length; i++) {
    end = putLabel(labels[i] as Label, end);
    if (end < 0) return anyLabelsJson(labels);
  }
  return finished(end);
}

/** Of all labels of several sets as one, each in the order of names. Where they share a name the last set has it. */
export function mergedLabelsJson(a: Labels, b: Labels, c: Labels): string {
  let end = 0;
  let i = 0;
  let j = 0;
  let k = 0;
  for (;;) {
    const first = a[i];
    const second = b[j];
    const third = c[k];
    let least = third;
    if (second !== undefined && (least === undefined || second[0] < least[0])) least = second;
    if (first !== undefined && (least === undefined || first[0] < least[0])) least = first;
    if (least === undefined) return finished(end);
    if (first?.[0] === least[0]) i++;
    if (second?.[0] === least[0]) j++;
    if (third === least) k++;
    end = putLabel(least, end);
    if (end < 0) return anyLabelsJson([...new Map([...a, ...b, ...c])].sort(([x], [y]) => (x < y ? -1 : 1)));
  }
}

/** What has been put together, which is text of a byte per character. */
function finished(end: number): string {
  if (end === 0) return "{}";
  scratch[end++] = CLOSING_BRACE;
  // Flat, where text that is added up would have to be put together whenever it is compared or sent.
  return scratch.toString("latin1", 0, end);
}

/** One of several labels from `at` on; returns the place behind it, or -1 when something in it must be escaped or is too long. */
function putLabel([name, value]: Label, at: number): number {
  const json = nameJson.get(name) ?? writeName(name);
  if (json === undefined) return -1;
  // A brace, or a comma.
  let end = at + 1;
  if (end + json.length > scratch.length) return -1;
  scratch[at] = at === 0 ? OPENING_BRACE : COMMA;
  for (let i = 0; i < json.length; i++) scratch[end++] = json[i] as number;
  return putPlain(value, end);
}

function writeName(name: string): Buffer | undefined {
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const text = `${JSON.stringify(name)}:`;
  const json = Buffer.from(text);
  if (json.length > text.length) return undefined;
  if (nameJson.size >= MAX_NAMES) nameJson.clear();
  nameJson.set(name, json);
  return json;
}

/** The text in quotes from `at` on; returns the place behind it, or -1 when something in it must be escaped or is too long. */
function putPlain(text: string, at: number): number {
  // Quotes, and what stands between labels.
  if (at + text.length + 4 > scratch.length) return -1;
  scratch[at++] = QUOTE;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character < 32 || character > 126 || character === QUOTE || character === BACKSLASH) return -1;
    scratch[at++] = character;
  }
  scratch[at++] = QUOTE;
  return at;
}

function anyLabelsJson(labels: Labels): string {
  const fields = labels.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${fields.join(",")}}`;
}

/** {@link labelsJson} for many label sets, which have names and most values in common: each label is written once. */
export function labelsJsonWriter(): (labels: Labels) => string {
  const written = new Map<string, Map<string, string>>();
  const labelJson = (name: string, value: string): string => {
    let ofName = written.get(name);
    if (!ofName) {
      ofName = new Map();
      written.set(name, ofName);
    }
    let json = ofName.get(value);
    if (json === undefined) {
      json = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
      ofName.set(value, json);
    }
    return json;
  };
  return (labels) => {
    let json = "{";
    for (let i = 0; i < labels.length; i++) {
      const [name, value] = labels[i] as Labels[number];
      json += i === 0 ? labelJson(name, value) : `,${labelJson(name, value)}`;
    }
    return `${json}}`;
  };
}
