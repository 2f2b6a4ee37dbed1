import { expect, test } from "vitest";
import { parseContentType } from "./content-type.ts";

test.each([
  [undefined, "", {}],
  ["", "", {}],
  ["application/json", "application/json", {}],
  ["Application/JSON; charset=UTF-8", "application/json", { charset: "UTF-8" }],
  [' application/x-protobuf ;Proto="a.B" ; q', "application/x-protobuf", { proto: "a.B" }],
  ["application/x-protobuf;proto=a=b", "application/x-protobuf", { proto: "a=b" }],
  [";;=;", "", { "": "" }],
])("%j", (header, mediaType, parameters) => {
  const parsed = parseContentType(header);
  expect(parsed.mediaType).toBe(mediaType);
  expect(Object.fromEntries(parsed.parameters)).toEqual(parameters);
});
