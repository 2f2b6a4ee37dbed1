import { compileMatcher } from "@sightline/model/matcher.ts";
import type { DropStage, KeepStage, LabelPick } from "../ast.ts";
import { ERROR, ERROR_DETAILS, type LabelBuilder, PRESERVE_ERROR } from "./label-builder.ts";
import type { Stage } from "./stage.ts";

type Pick = { readonly name: string; readonly matches: ((value: string) => boolean) | undefined };

function compilePick({ name, matcher }: LabelPick): Pick {
  return { name, matches: matcher && compileMatcher(matcher) };
}

/** `| drop a, b="x"`; also takes errors away. */
export function dropStage({ labels: dropped }: DropStage): Stage {
  const picks = dropped.map(compilePick);
  return {
    reads: [],
    apply({ labels }) {
      for (const pick of picks) drop(labels, pick);
      return true;
    },
  };
}

function drop(labels: LabelBuilder, { name, matches }: Pick): void {
  if (name === ERROR) {
    if (!matches || matches(labels.error)) labels.error = "";
  } else if (name === ERROR_DETAILS) {
    if (!matches || matches(labels.errorDetails)) labels.errorDetails = "";
  } else {
    const value = labels.get(name);
    if (matches ? matches(value ?? "") : value !== undefined) labels.delete(name);
  }
}

/** `| keep a, b="x"`: drops all others, errors excepted. */
export function keepStage({ labels: kept }: KeepStage): Stage {
  const picks = kept.map(compilePick);
  const isKept = (name: string, value: string) =>
    picks.some((pick) => pick.name === name && (!pick.matches || pick.matches(value)));
  return {
    reads: [],
    apply({ labels }) {
      for (const [name, value] of [...labels.all()]) {
        const isSpecial = name === ERROR || name === ERROR_DETAILS || name === PRESERVE_ERROR;
        if (!isSpecial && !isKept(name, value)) labels.delete(name);
      }
      return true;
    },
  };
}
