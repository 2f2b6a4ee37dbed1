import type { TenantId } from "@sightline/model/tenant.ts";
import type { OpenSearchConfig } from "../config.ts";

export const DEFAULT_GROUP = "default";

/** What everything of one kind of rows is called in the cluster. */
export class IndexNames {
  /** A pattern for the data streams of all groups. */
  readonly all: string;
  /** Rows that somebody asked to delete and that can still be brought back. */
  readonly trash: string;
  /** Rows that OpenSearch refuses whatever their form. */
  readonly deadLetters: string;
  /** How far each writer got, and requests to delete; logs and traces share it. */
  readonly state: string;
  /** The template of the three above, logs' and traces'. */
  readonly others: string;
  readonly otherPatterns: readonly string[];
  readonly #prefix: string;
  readonly #groups: ReadonlyMap<string, string>;

  constructor(
    signal: "logs" | "traces",
    { prefix, tenant_groups }: Pick<OpenSearchConfig, "prefix" | "tenant_groups">,
  ) {
    this.#prefix = `${prefix}-${signal}-`;
    this.all = `${this.#prefix}*`;
    this.trash = `${prefix}-trash-${signal}`;
    this.deadLetters = `${prefix}-dead-letters-${signal}`;
    this.state = `${prefix}-state`;
    this.others = `${prefix}-others`;
    this.otherPatterns = [this.state, `${prefix}-trash-*`, `${prefix}-dead-letters-*`];
    this.#groups = new Map(
      Object.entries(tenant_groups).flatMap(([group, { tenants }]) =>
        tenants.map((tenant) => [tenant, group] as const),
      ),
    );
  }

  dataStream(group: string): string {
    return `${this.#prefix}${group}`;
  }

  /** Where rows of the tenant are written to. Older ones may be elsewhere: groups change. */
  dataStreamOf(tenant: TenantId): string {
    return this.dataStream(this.#groups.get(tenant) ?? DEFAULT_GROUP);
  }
}
