// Loads promql.wasm (promql-parser 0.11.1) and parses PromQL. No dependencies; synchronous.
import { readFileSync } from "node:fs";

export function load(bytes = readFileSync(new URL("./promql.wasm", import.meta.url))) {
  const module = new WebAssembly.Module(bytes);
  // chrono and web-time leave a few wasm-bindgen imports behind (the clock); no parser path calls them.
  const imports = {};
  for (const { module: m, name } of WebAssembly.Module.imports(module)) {
    imports[m] ??= {};
    imports[m][name] = () => {
      throw new Error(`promql.wasm called ${m}.${name}`);
    };
  }
  const enc = new TextEncoder(),
    dec = new TextDecoder();
  let x;
  return function parse(query) {
    x ??= new WebAssembly.Instance(module, imports).exports;
    try {
      const q = enc.encode(query);
      const p = x.promql_alloc(q.length);
      new Uint8Array(x.memory.buffer, p, q.length).set(q);
      const r = x.promql_parse(p, q.length) >>> 0;
      x.promql_free(p, q.length);
      const n = new DataView(x.memory.buffer).getUint32(r, true);
      const json = dec.decode(new Uint8Array(x.memory.buffer, r + 4, n));
      x.promql_free_result(r);
      return JSON.parse(json);
    } catch (e) {
      x = undefined; // after a trap the instance's memory is not to be trusted: the next call makes a new one
      return { ok: false, error: `promql-parser failed: ${e instanceof Error ? e.message : e}` };
    }
  };
}
