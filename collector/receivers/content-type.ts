export type ContentType = { readonly mediaType: string; readonly parameters: ReadonlyMap<string, string> };

/** Lenient reading of a Content-Type header: lower-case type, parameters with lower-case names, quotes removed. */
export function parseContentType(header: string | undefined): ContentType {
  const [mediaType = "", ...rest] = (header ?? "").split(";");
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const equals = part.indexOf("=");
    if (equals < 0) continue;
    const value = part.slice(equals + 1).trim();
    parameters.set(part.slice(0, equals).trim().toLowerCase(), value.replace(/^"(.*)"$/, "$1"));
  }
  return { mediaType: mediaType.trim().toLowerCase(), parameters };
}
