import type { Labels } from "@sightline/model/labels.ts";

/** Where labels are put together whose JSON has a byte per character; longer ones are rare. */
const scratch = Buffer.allocUnsafeSlow(4_096);
const OPENING_BRACE = 123;
const CLOSING_BRACE = 125;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;

/** An object of the labels, in their order, as `JSON.stringify` would write it. */
export function labelsJson(labels: Labels): string {
  let end = 0;
  for (let i = 0; i < labels.length; i++) {
    const [name, value] = labels[i] as Labels[number];
    scratch[end++] = i === 0 ? OPENING_BRACE : COMMA;
    end = putPlain(name, end);
    if (end < 0) return anyLabelsJson(labels);
    scratch[end++] = COLON;
    end = putPlain(value, end);
    if (end < 0) return anyLabelsJson(labels);
  }
  if (end === 0) return "{}";
  scratch[end++] = CLOSING_BRACE;
  // Flat, where text that is added up would have to be put together whenever it is compared or sent.
  return scratch.toString("latin1", 0, end);
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
