import { expect, test } from "vitest";
import { labelName } from "./label-name.ts";
import { metricName, type NameKind } from "./metric-name.ts";
import { TRANSLATION_STRATEGIES } from "./translation.ts";
import { unitName } from "./unit-name.ts";

test.each<[string, string, NameKind, string]>([
  ["http.server.request.duration", "s", "other", "http_server_request_duration_seconds"],
  ["http.server.active_requests", "{request}", "other", "http_server_active_requests"],
  ["system.io", "By", "counter", "system_io_bytes_total"],
  ["system.io.bytes.total", "By", "counter", "system_io_bytes_total"],
  ["total.system.io", "By", "counter", "system_io_bytes_total"],
  ["cpu.utilization", "1", "gauge", "cpu_utilization_ratio"],
  ["cpu.ratio.utilization", "1", "gauge", "cpu_utilization_ratio"],
  ["objects", "1", "counter", "objects_total"],
  ["objects", "1", "other", "objects"],
  ["disk", "%", "gauge", "disk_percent"],
  ["network.speed", "By/s", "gauge", "network_speed_bytes_per_second"],
  ["network.speed", "{packet}/s", "gauge", "network_speed_per_second"],
  ["network.bytes", "By/s", "gauge", "network_bytes_per_second"],
  ["speed", "km/h", "gauge", "speed_km_per_hour"],
  ["speed", "m/{lap}", "gauge", "speed_meters"],
  ["speed", "/", "gauge", "speed"],
  ["odd.unit", "foo bar/baz__", "gauge", "odd_unit_foo_bar_per_baz"],
  ["odd.unit", "__test", "gauge", "odd_unit_test"],
  ["3d.models", "", "gauge", "_3d_models"],
  ["a__b..c", "", "gauge", "a_b_c"],
  ["_private:name_", "", "gauge", "private:name"],
  ["größe", "", "gauge", "gr_e"],
  ["time", "ms", "gauge", "time_milliseconds"],
  ["temp", "Cel", "gauge", "temp_celsius"],
])("%s in %j as a %s is %s", (name, unit, kind, want) => {
  expect(metricName(name, unit, kind, "UnderscoreEscapingWithSuffixes")).toBe(want);
});

test.each<[string, string, NameKind, readonly (string | undefined)[]]>([
  ["http.duration", "s", "other", ["http_duration_seconds", "http.duration_seconds", "http_duration", "http.duration"]],
  ["hits.total", "", "counter", ["hits_total", "hits_total", "hits_total", "hits.total"]],
  ["io", "By/s", "counter", ["io_bytes_per_second_total", "io_bytes_per_second_total", "io", "io"]],
  ["io_bytes", "By", "counter", ["io_bytes_total", "io_bytes_total", "io_bytes", "io_bytes"]],
  ["use", "1", "gauge", ["use_ratio", "use_ratio", "use", "use"]],
  ["a__b", "", "gauge", ["a_b", "a__b", "a__b", "a__b"]],
  ["1a", "", "gauge", ["_1a", "1a", "_1a", "1a"]],
  ["..", "", "gauge", [undefined, "..", undefined, ".."]],
  ["", "", "gauge", [undefined, undefined, undefined, undefined]],
])("%s in %j as a %s, by every strategy", (name, unit, kind, want) => {
  expect(TRANSLATION_STRATEGIES.map((strategy) => metricName(name, unit, kind, strategy))).toEqual(want);
});

test.each([
  ["s", "seconds"],
  ["By/s", "bytes_per_second"],
  ["{request}/s", "per_second"],
  ["1", ""],
  ["{call}", ""],
  [" ms ", "milliseconds"],
  ["_x_", "x"],
])("the unit %j is %j in metadata", (unit, want) => expect(unitName(unit)).toBe(want));

test.each([
  ["http.method", "http_method"],
  ["method", "method"],
  ["a..b", "a__b"],
  ["a__b.", "a__b_"],
  ["1st", "key_1st"],
  ["_1", "key_1"],
  ["_x", "key_x"],
  [".x", "key_x"],
  ["__x", "__x"],
  ["._x", "__x"],
  ["__name.x__", "__name_x__"],
  ["größe", "gr__e"],
  ["a😀b", "a_b"],
  ["ü", "key_"],
  [".", "key_"],
  ["_", "key_"],
  ["", undefined],
  ["..", undefined],
  ["üü", undefined],
  ["____", undefined],
])("the attribute %j is the label %j", (attribute, want) => expect(labelName(attribute, true)).toBe(want));

test.each([
  ["http.method", "http.method"],
  ["größe", "größe"],
  ["__", undefined],
  ["", undefined],
])("without escaping, the attribute %j is the label %j", (attribute, want) => {
  expect(labelName(attribute, false)).toBe(want);
});
