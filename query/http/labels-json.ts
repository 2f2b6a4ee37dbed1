import type { Labels } from "@sightline/model/labels.ts";

export function labelsJson(labels: Labels): string {
  let json = "{";
  for (const [name, value] of labels) {
    if (json.length > 1) json += ",";
    json += `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return `${json}}`;
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
