import { expect, test } from "vitest";
import { lokiLabelName } from "./loki-label-name.ts";

test.each([
  ["user.id", "user_id"],
  ["http.request..method", "http_request_method"],
  ["a__b", "a_b"],
  ["1st", "key_1st"],
  ["__reserved__", "__reserved__"],
  ["_x", "_x"],
  ["größe", "gr_e"],
  ["___", ""],
  ["", ""],
])("the attribute %j is the label %j", (attribute, label) => expect(lokiLabelName(attribute)).toBe(label));
