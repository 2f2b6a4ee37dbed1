import type { Labels } from "@sightline/model/labels.ts";

export function labelsJson(labels: Labels): string {
  let json = "{";
  for (const [name, value] of labels) {
    if (json.length > 1) json += ",";
    json += `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return `${json}}`;
}
