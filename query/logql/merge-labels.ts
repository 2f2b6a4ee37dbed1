import type { Label, Labels } from "@sightline/model/labels.ts";

/** Both label sets as one; where they share a name, `b` has it. */
export function mergeLabels(a: Labels, b: Labels): Labels {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged: Label[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i] as Label;
    const right = b[j] as Label;
    if (left[0] < right[0]) {
      merged.push(left);
      i++;
    } else {
      if (left[0] === right[0]) i++;
      merged.push(right);
      j++;
    }
  }
  for (; i < a.length; i++) merged.push(a[i] as Label);
  for (; j < b.length; j++) merged.push(b[j] as Label);
  return merged;
}
