const PREFIX = "U__";
const MAX_CODE_POINT = 0x10ffff;

/**
 * The name behind a `U__` escaped one (`U__http_2e_server` is `http.server`), as prometheus/common's model.UnescapeName:
 * `__` is an underscore, `_HEX_` a code point. A name that is not well escaped is given back as it is.
 */
export function unescapeLabelName(name: string): string {
  if (!name.startsWith(PREFIX)) return name;
  let unescaped = "";
  for (let i = PREFIX.length; i < name.length; i++) {
    if (name[i] !== "_") {
      unescaped += name[i];
      continue;
    }
    if (name[i + 1] === "_") {
      unescaped += "_";
      i++;
      continue;
    }
    const match = /^_([0-9a-fA-F]{1,6})_/.exec(name.slice(i, i + 8));
    const codePoint = Number.parseInt(match?.[1] ?? "", 16);
    if (!match || codePoint > MAX_CODE_POINT || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return name;
    unescaped += String.fromCodePoint(codePoint);
    i += match[0].length - 1;
  }
  return unescaped;
}
