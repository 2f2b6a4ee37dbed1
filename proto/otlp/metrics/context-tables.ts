import { KeyTable } from "../../metrics/key-table.ts";
import { MetadataOnce } from "../../metrics/metadata-once.ts";
import type { Fault } from "../../metrics/rejection-log.ts";
import { BYTES, WireReader } from "../../wire/reader.ts";
import { AttributeList } from "../attributes.ts";
import type { ByteRange } from "./byte-range.ts";
import { type DataKind, type MetricContext, metricContext } from "./metric-context.ts";
import type { MetricsSession } from "./metrics-session.ts";
import { type ResourceContext, resourceContext } from "./resource-context.ts";
import { type ScopeContext, scopeContext } from "./scope-context.ts";

const FIRST = (1 << 3) | BYTES;
const SECOND = (2 << 3) | BYTES;
const THIRD = (3 << 3) | BYTES;

/** Fields, as bits by their number, that tell a message of its kind from others. */
const RESOURCE_FIELDS = 1 << 1;
const SCOPE_FIELDS = (1 << 1) | (1 << 3);
const METRIC_FIELDS = (1 << 1) | (1 << 2) | (1 << 3);

/**
 * Resources, scopes and metrics seen so far, found by the bytes that tell them apart: the fields of `ResourceMetrics`,
 * `ScopeMetrics` and `Metric` that are not what these contain. A message's fields may come in any order, so the ones
 * wanted are looked for ahead; what lies between is stepped over.
 */
export class ContextTables {
  readonly metadata = new MetadataOnce();
  readonly #session: MetricsSession;
  readonly #header: ByteRange;
  readonly #resourceTable = new KeyTable();
  readonly #scopeTable = new KeyTable();
  readonly #metricTable = new KeyTable();
  readonly #resources: ResourceContext[] = [];
  readonly #scopes: ScopeContext[] = [];
  readonly #metrics: MetricContext[] = [];

  constructor(session: MetricsSession) {
    this.#session = session;
    this.#header = session.newRange();
  }

  get load(): number {
    const bytes = this.#resourceTable.byteSize + this.#scopeTable.byteSize + this.#metricTable.byteSize;
    return this.#resources.length + this.#scopes.length + this.#metrics.length + bytes / 1024;
  }

  /** The resource of the `ResourceMetrics` that the reader has entered. */
  resource(): ResourceContext {
    this.#gather(RESOURCE_FIELDS);
    const { view, start, end } = this.#header;
    const known = this.#resourceTable.find(view, start, end, 0);
    if (known >= 0) return this.#resources[known] as ResourceContext;
    const session = this.#session;
    const reader = this.#headerReader("resource_metrics");
    const list = new AttributeList();
    let fault: Fault | undefined;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      const outer = reader.enter("resource");
      fault = session.attributeReader.readInto(list, reader, 1) ?? fault;
      reader.leave(outer);
    }
    const context = resourceContext(session.newId(), fault ?? list.finish(), session.options, session.interner);
    this.#resourceTable.add(view, start, end, 0, this.#resources.length);
    this.#resources.push(context);
    return context;
  }

  /** The scope of the `ScopeMetrics` that the reader has entered. */
  scope(resource: ResourceContext): ScopeContext {
    this.#gather(SCOPE_FIELDS);
    const { view, start, end } = this.#header;
    const known = this.#scopeTable.find(view, start, end, resource.id);
    if (known >= 0) return this.#scopes[known] as ScopeContext;
    const session = this.#session;
    const context = scopeContext(session.newId(), resource, this.#readScope(), session.options);
    this.#scopeTable.add(view, start, end, resource.id, this.#scopes.length);
    this.#scopes.push(context);
    return context;
  }

  #readScope() {
    const reader = this.#headerReader("scope_metrics");
    const list = new AttributeList();
    let name: string | undefined = "";
    let version: string | undefined = "";
    let schemaUrl: string | undefined = "";
    let fault: Fault | undefined;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === THIRD) {
        schemaUrl = reader.stringOrUndefined();
        continue;
      }
      const outer = reader.enter("scope");
      const start = reader.pos;
      for (let inner = reader.nextTag(); inner !== 0; inner = reader.nextTag()) {
        if (inner === FIRST) name = reader.stringOrUndefined();
        else if (inner === SECOND) version = reader.stringOrUndefined();
        else reader.skip(inner);
      }
      reader.pos = start;
      fault = this.#session.attributeReader.readInto(list, reader, 3) ?? fault;
      reader.leave(outer);
    }
    return { name, version, schemaUrl, attributes: fault ?? list.finish() };
  }

  /**
   * Finds out the header of the `Metric` that the reader has entered, for {@link metric}: once for all its data.
   */
  readMetricHeader(): void {
    this.#gather(METRIC_FIELDS);
  }

  /** The metric whose header was read last. `code` is below 64 and says the same as kind, temporality and monotonic. */
  metric(scope: ScopeContext, kind: DataKind, temporality: number, monotonic: boolean, code: number): MetricContext {
    const { view, start, end } = this.#header;
    const prefix = scope.id * 64 + code;
    const known = this.#metricTable.find(view, start, end, prefix);
    if (known >= 0) return this.#metrics[known] as MetricContext;
    const session = this.#session;
    const wire = { ...this.#readMetric(), kind, temporality, monotonic };
    const context = metricContext(session.newId(), scope, wire, session.options.translationStrategy, this.metadata);
    this.#metricTable.add(view, start, end, prefix, this.#metrics.length);
    this.#metrics.push(context);
    return context;
  }

  #readMetric() {
    const reader = this.#headerReader("metrics");
    let name: string | undefined = "";
    let unit: string | undefined = "";
    let description = "";
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === FIRST) name = reader.stringOrUndefined();
      else if (tag === SECOND) description = reader.stringLossy();
      else unit = reader.stringOrUndefined();
    }
    return { name, unit, description };
  }

  /** Gathers the length-delimited fields of `mask` of the message that the reader is in, and goes back to its start. */
  #gather(mask: number): void {
    const { reader } = this.#session;
    const header = this.#header;
    const messageStart = reader.pos;
    header.clear(reader);
    for (let start = reader.pos, tag = reader.nextTag(); tag !== 0; start = reader.pos, tag = reader.nextTag()) {
      reader.skip(tag);
      const wanted = (tag & 7) === BYTES && tag < 32 << 3 && ((mask >>> (tag >>> 3)) & 1) === 1;
      if (wanted) header.add(start, reader.pos);
    }
    reader.pos = messageStart;
  }

  #headerReader(message: string): WireReader {
    const { bytes, start, end } = this.#header;
    return new WireReader(bytes, message, { start, end, maxDepth: this.#session.maxDepth });
  }
}
