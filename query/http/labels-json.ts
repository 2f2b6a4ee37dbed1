import type { Labels } from "@sightline/model/labels.ts";

/** Names come again and again; those that were seen lately. */
const names = new Map<string, string>();
const MAX_NAMES = 10_000;

export function labelsJson(labels: Labels): string {
  let json = "{";
  for (let i = 0; i < labels.length; i++) {
    const [name, value] = labels[i] as Labels[number];
    json += (i === 0 ? "" : ",") + nameJson(name) + JSON.stringify(value);
  }
  return `${json}}`;
}

/** With the colon. */
function nameJson(name: string): string {
  let json = names.get(name);
  if (json === undefined) {
    json = `${JSON.stringify(name)}:`;
    if (names.size >= MAX_NAMES) names.clear();
    names.set(name, json);
  }
  return json;
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
