import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { HttpCase } from "./http-request.ts";

const JSON_TYPE = { "content-type": "application/json" };
const path = "/loki/api/v1/push";

/** A push whose stream the label `push` names, so that what came of it can be asked for. */
export type PushCase = HttpCase & { readonly name: string };

function json(name: string, values: string, stream = "", rest = ""): PushCase {
  return {
    name,
    path,
    method: "POST",
    headers: JSON_TYPE,
    body: `{"streams":[{"stream":{"push":"${name}"${stream}},"values":${values}}]${rest}}`,
  };
}

const body = (name: string) => `{"streams":[{"stream":{"push":"${name}"},"values":[["$START","compressed"]]}]}`;
const raw = (name: string, text: string, headers: Record<string, string> = JSON_TYPE): PushCase => ({
  name,
  path,
  method: "POST",
  headers,
  body: text,
});

export const PUSHES: readonly PushCase[] = [
  json("plain", '[["$START","a line"]]'),
  json("metadata", '[["$START","a line",{"user":"ann","n":"5"}]]'),
  json("number as metadata", '[["$START","a line",{"n":5}]]'),
  json("bool as metadata", '[["$START","a line",{"n":true}]]'),
  json("null as metadata", '[["$START","a line",{"n":null}]]'),
  json("object as metadata", '[["$START","a line",{"n":{"a":"b"}}]]'),
  json("list as metadata", '[["$START","a line",{"n":["a"]}]]'),
  json("metadata is null", '[["$START","a line",null]]'),
  json("metadata is a text", '[["$START","a line","x"]]'),
  json("metadata is a list", '[["$START","a line",[]]]'),
  json("empty metadata", '[["$START","a line",{}]]'),
  json("empty value", '[["$START","a line",{"a":"","b":"c"}]]'),
  json("empty name", '[["$START","a line",{"":"x"}]]'),
  json("odd names", '[["$START","a line",{"a.b":"1","a-b":"2","9":"3","ünï":"4"}]]'),
  json("named twice", '[["$START","a line",{"a":"1","a":"2"}]]'),
  json("named as the stream", '[["$START","a line",{"push":"other"}]]'),
  json("nested categories", '[["$START","a line",{"structuredMetadata":{"a":"1"},"parsed":{"b":"2"}}]]'),
  json("four elements", '[["$START","a line",{},"more"]]'),
  json("one element", '[["$START"]]'),
  json("no elements", "[[]]"),
  json("entry is null", "[null]"),
  json("entry is a text", '["x"]'),
  json("values is null", "null"),
  json("values is an object", "{}"),
  json("values is empty", "[]"),
  json("number as line", '[["$START",5]]'),
  json("null as line", '[["$START",null]]'),
  json("empty line", '[["$START",""]]'),
  json("number as time", '[[$START,"a line"]]'),
  json("float as time", '[["1.5","a line"]]'),
  json("text as time", '[["now","a line"]]'),
  json("empty time", '[["","a line"]]'),
  json("date as time", '[["2026-01-02T03:04:05Z","a line"]]'),
  json("negative time", '[["-1","a line"]]'),
  json("time too large", '[["9223372036854775808","a line"]]'),
  json("largest time", '[["9223372036854775807","a line"]]'),
  json("escapes", '[["$START","tab\\t nl\\n quote\\" \\u00e9 \\ud83d\\ude00 \\/ nul\\u0000"]]'),
  json("lone surrogate", '[["$START","\\ud83d"]]'),
  json("raw control", '[["$START","a\tb"]]'),
  json("bad escape", '[["$START","a\\x"]]'),
  json("number as label", '[["$START","a line"]]', ',"n":5'),
  json("null as label", '[["$START","a line"]]', ',"n":null'),
  json("object as label", '[["$START","a line"]]', ',"n":{}'),
  json("empty label", '[["$START","a line"]]', ',"n":""'),
  json("label twice", '[["$START","a line"]]', ',"a":"1","a":"2"'),
  json("quotes in label", '[["$START","a line"]]', ',"a":"x\\"y\\\\z\\n"'),
  json("service name", '[["$START","a line"]]', ',"service_name":"mine","app":"other"'),
  json("service", '[["$START","a line"]]', ',"job":"j","container":"c"'),
  json("more keys", '[["$START","a line"]]', "", ',"more":[1,{"a":2}]'),
  json("twice the same", '[["$START","a line",{"a":"b"}],["$START","a line",{"a":"b"}]]'),
  json("twice with other metadata", '[["$START","a line",{"a":"b"}],["$START","a line",{"a":"c"}]]'),
  json("two lines of one time", '[["$START","a"],["$START","b"]]'),
  raw("no streams", '{"streams":[]}'),
  raw("streams is null", '{"streams":null}'),
  raw("no streams key", "{}"),
  raw("streams is an object", '{"streams":{}}'),
  raw("a list", "[]"),
  raw("null", "null"),
  raw("empty body", ""),
  raw("cut", '{"streams":[{"stream":{"push":"cut"},"values":[["1'),
  raw("no stream key", '{"streams":[{"values":[["$START","a line"]]}]}'),
  raw("stream is null", '{"streams":[{"stream":null,"values":[["$START","a line"]]}]}'),
  raw("stream is empty", '{"streams":[{"stream":{},"values":[["$START","a line"]]}]}'),
  raw("stream is a text", '{"streams":[{"stream":"{push=\\"text\\"}","values":[["$START","a line"]]}]}'),
  raw("charset", body("charset"), { "content-type": "application/json; charset=utf-8" }),
  raw("upper case type", body("upper case type"), { "content-type": "Application/JSON" }),
  raw("no type", body("no type"), {}),
  raw("text type", body("text type"), { "content-type": "text/plain" }),
  raw("bad type", body("bad type"), { "content-type": ";;" }),
  raw("identity", body("identity"), { ...JSON_TYPE, "content-encoding": "identity" }),
  raw("unknown encoding", body("unknown encoding"), { ...JSON_TYPE, "content-encoding": "br" }),
  raw("says gzip", body("says gzip"), { ...JSON_TYPE, "content-encoding": "gzip" }),
  raw("says snappy", body("says snappy"), { ...JSON_TYPE, "content-encoding": "snappy" }),
  raw("protobuf of nonsense", "nonsense", { "content-type": "application/x-protobuf" }),
  raw("protobuf, gzip of nonsense", "nonsense", {
    "content-type": "application/x-protobuf",
    "content-encoding": "gzip",
  }),
  { ...raw("get", ""), method: "GET" },
  { ...raw("put", body("put")), method: "PUT" },
];

/** Those whose bodies are compressed: their placeholders are filled before. */
export function compressedPushes(fillText: (text: string) => string): readonly PushCase[] {
  const compressed = (name: string, encoding: string, compress: (text: string) => Uint8Array): PushCase => ({
    name,
    path,
    method: "POST",
    headers: { ...JSON_TYPE, "content-encoding": encoding },
    body: compress(fillText(body(name))),
  });
  return [
    compressed("gzip", "gzip", gzipSync),
    compressed("upper gzip", "GZIP", gzipSync),
    compressed("gzip cut", "gzip", (text) => gzipSync(text).subarray(0, 30)),
    compressed("deflate", "deflate", deflateRawSync),
    compressed("zlib", "deflate", deflateSync),
    compressed("two encodings", "gzip, gzip", (text) => gzipSync(gzipSync(text))),
  ];
}
