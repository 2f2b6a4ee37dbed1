import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { CorruptionError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { assertDamage } from "../files/assert-damage.ts";
import { linkOrCopy } from "../files/link-or-copy.ts";
import { Manifest } from "../files/manifest.ts";
import { syncDirectory } from "../files/write-file-atomic.ts";
import { checksumFile } from "./checksum-file.ts";
import { type DeletedRows, type StoredDeletion, withoutOldest, withoutSegments } from "./deletion.ts";
import {
  EMPTY_MANIFEST,
  infoFromStored,
  parseManifest,
  type SegmentInfo,
  type SegmentManifest,
  storedInfo,
} from "./segment.ts";

/** A segment in use. Its files stay as long as somebody holds it, also when compaction or retention has dropped it. */
export class Segment {
  readonly info: SegmentInfo;
  readonly dataPath: string;
  readonly indexPath: string;
  /** What can be made of the others, if there is such a file: see block-filters.ts. */
  readonly blocksPath: string;
  holders = 0;
  dropped = false;
  /** Settles when the rows have been compared with their checksum; made by the first query after a start. */
  verified: Promise<void> | undefined;
  /** Rows that no query may see, by deletion; the list is replaced, never changed. */
  deleted: readonly DeletedFile[] = [];

  get deletedPaths(): readonly string[] {
    return this.deleted.map(({ path }) => path);
  }

  constructor(info: SegmentInfo, dir: string) {
    this.info = info;
    this.dataPath = join(dir, `${info.id}.parquet`);
    this.indexPath = join(dir, `${info.id}.index`);
    this.blocksPath = join(dir, `${info.id}.blocks`);
  }
}

export type DeletedFile = DeletedRows & { readonly deletion: number; readonly path: string };

export type SegmentChange = {
  readonly add?: readonly Segment[];
  readonly drop?: readonly Segment[];
  /** Made of the deletions as they are then; what is in dropped segments is taken out of them by itself. */
  readonly deletions?: (deletions: readonly StoredDeletion[]) => readonly StoredDeletion[];
  readonly flushedPosition?: number;
  /** Called in the moment in which queries begin to see the change. Must not throw. */
  readonly applied?: () => void;
};

/** The segments of one store on disk. A change of which ones count is one atomic replacement of the manifest. */
export class SegmentDirectory {
  readonly #dir: string;
  readonly #quarantineDir: string;
  readonly #logger: Logger;
  readonly #manifest: Manifest<SegmentManifest>;
  #byTenant: ReadonlyMap<TenantId, readonly Segment[]>;
  #flushedPosition: number;
  #lastId = 0;
  #quarantined = 0;

  private constructor(dir: string, quarantineDir: string, logger: Logger, manifest: Manifest<SegmentManifest>) {
    this.#dir = dir;
    this.#quarantineDir = quarantineDir;
    this.#logger = logger;
    this.#manifest = manifest;
    this.#flushedPosition = manifest.value.flushedPosition;
    const segments = manifest.value.segments.map((stored) => new Segment(infoFromStored(stored), dir));
    this.#byTenant = grouped(segments);
    this.#applyDeletions();
  }

  /** Reads the manifest and removes files that it does not name: what a crash left of an unfinished flush. */
  static async open(root: string, logger: Logger): Promise<SegmentDirectory> {
    const dir = join(root, "segments");
    const quarantineDir = join(root, "quarantine");
    await mkdir(dir, { recursive: true });
    const manifest = await Manifest.openToWrite(join(root, "manifest.json"), parseManifest, EMPTY_MANIFEST, logger);
    const directory = new SegmentDirectory(dir, quarantineDir, logger, manifest);
    await directory.#removeOrphans();
    return directory;
  }

  /** Rows of write-ahead positions up to here are in segments; -1 when there are none. */
  get flushedPosition(): number {
    return this.#flushedPosition;
  }

  get tenants(): readonly TenantId[] {
    return [...this.#byTenant.keys()];
  }

  /** Segments given up because their files were damaged, since the start. */
  get quarantined(): number {
    return this.#quarantined;
  }

  /** The list is replaced, never changed. Take {@link hold} before reading files. */
  segmentsOf(tenant: TenantId): readonly Segment[] {
    return this.#byTenant.get(tenant) ?? [];
  }

  /** A segment to be written: its files count once {@link change} has added it. */
  create(info: Omit<SegmentInfo, "id" | "bytes" | "dataCrc" | "indexCrc">): {
    readonly id: number;
    readonly draft: Segment;
  } {
    const id = ++this.#lastId;
    return { id, draft: new Segment({ ...info, id, bytes: 0, dataCrc: 0, indexCrc: 0 }, this.#dir) };
  }

  /** A draft whose files have been written. Their content is known to be good. */
  finish(draft: Segment, { bytes, dataCrc, indexCrc }: Pick<SegmentInfo, "bytes" | "dataCrc" | "indexCrc">): Segment {
    const segment = new Segment({ ...draft.info, bytes, dataCrc, indexCrc }, this.#dir);
    segment.verified = Promise.resolve();
    return segment;
  }

  async discard(draft: Segment): Promise<void> {
    await Promise.all([...filesOf(draft), draft.blocksPath].map((path) => rm(path, { force: true })));
  }

  /** Keeps the files of these segments until {@link release}. */
  hold(segments: readonly Segment[]): void {
    for (const segment of segments) segment.holders++;
  }

  release(segments: readonly Segment[]): void {
    for (const segment of segments) {
      segment.holders--;
      this.#removeIfUnused(segment);
    }
  }

  /** Durably adds and drops segments, all or nothing. Files of added ones must have been synced. */
  async change({ add = [], drop = [], deletions, flushedPosition, applied }: SegmentChange): Promise<void> {
    if (add.length > 0 || deletions) await syncDirectory(this.#dir);
    const dropIds = new Set(drop.map((segment) => segment.info.id));
    await this.#manifest.update((manifest) => ({
      ...manifest,
      flushedPosition: Math.max(manifest.flushedPosition, flushedPosition ?? -1),
      segments: [
        ...manifest.segments.filter(({ id }) => !dropIds.has(id)),
        ...add.map((segment) => storedInfo(segment.info)),
      ],
      deletions: withoutOldest(
        withoutSegments(deletions?.(manifest.deletions ?? []) ?? manifest.deletions ?? [], dropIds),
      ),
    }));
    const kept = [...this.#byTenant.values()].flat().filter((segment) => !dropIds.has(segment.info.id));
    this.#byTenant = grouped([...kept, ...add]);
    this.#applyDeletions();
    if (flushedPosition !== undefined) this.#flushedPosition = Math.max(this.#flushedPosition, flushedPosition);
    applied?.();
    for (const segment of drop) {
      segment.dropped = true;
      this.#removeIfUnused(segment);
    }
  }

  /**
   * Compares the rows of a segment with their checksum, once per start: damage must not be mistaken for data.
   * Throws `CorruptionError`.
   */
  verify(segment: Segment): Promise<void> {
    segment.verified ??= this.#verify(segment).catch((error) => {
      segment.verified = undefined;
      throw error;
    });
    return segment.verified;
  }

  async #verify(segment: Segment): Promise<void> {
    await verifyFile(segment.dataPath, segment.info.dataCrc);
    // Rows that were deleted must not come back because the file that hides them is damaged.
    for (const { path, crc } of segment.deleted) await verifyFile(path, crc);
  }

  /** Throws what failed to be read of a segment, unless that means that it is damaged: see {@link assertDamage}. */
  assertDamage(error: unknown, segment: Segment): Promise<void> {
    return assertDamage(error, segment.dataPath, this.#manifest.path);
  }

  /** Moves a damaged segment out of the way, so that the others are served; somebody may be able to repair it. */
  async quarantine(segment: Segment, error: unknown): Promise<void> {
    if (segment.dropped) return;
    segment.dropped = true;
    this.#quarantined++;
    this.#logger.error("segment is damaged; it is left out of queries and moved to the quarantine directory", {
      file: segment.dataPath,
      tenant: segment.info.tenant,
      rows: segment.info.rows,
      error,
    });
    try {
      await mkdir(this.#quarantineDir, { recursive: true });
      await rm(segment.blocksPath, { force: true });
      for (const path of filesOf(segment)) {
        const moved = join(this.#quarantineDir, path.slice(this.#dir.length + 1));
        await rename(path, moved).catch((cause) =>
          this.#logger.warn("can't move a damaged file", { path, error: cause }),
        );
      }
      await this.change({ drop: [segment] });
    } catch (cause) {
      // Queries do without it all the same; the next start finds out again.
      this.#logger.error("can't put a damaged segment into quarantine for good", {
        file: segment.dataPath,
        error: cause,
      });
    }
  }

  /** Newest last. */
  get deletions(): readonly StoredDeletion[] {
    return this.#manifest.value.deletions ?? [];
  }

  deletedPath(segment: number, deletion: number): string {
    return join(this.#dir, `${segment}.deleted-${deletion}.parquet`);
  }

  #applyDeletions(): void {
    const bySegment = new Map<number, DeletedFile[]>();
    for (const { id, hidden } of this.deletions) {
      for (const rows of hidden) {
        const file = { ...rows, deletion: id, path: this.deletedPath(rows.segment, id) };
        bySegment.set(rows.segment, [...(bySegment.get(rows.segment) ?? []), file]);
      }
    }
    for (const segment of [...this.#byTenant.values()].flat()) segment.deleted = bySegment.get(segment.info.id) ?? [];
  }

  /** A directory of the same content, made of second names for the files. No flush or compaction must run beside it. */
  async copyTo(root: string): Promise<void> {
    const dir = join(root, "segments");
    await mkdir(dir, { recursive: true });
    for (const segment of [...this.#byTenant.values()].flat()) {
      for (const path of filesOf(segment)) await linkOrCopy(path, join(dir, basename(path)));
    }
    await syncDirectory(dir);
    const manifest = await Manifest.open(join(root, "manifest.json"), parseManifest, EMPTY_MANIFEST);
    await manifest.update(() => this.#manifest.value);
  }

  #removeIfUnused(segment: Segment): void {
    if (!segment.dropped || segment.holders > 0) return;
    this.discard(segment).catch((error) => this.#logger.warn("can't delete a file", { path: segment.dataPath, error }));
  }

  async #removeOrphans(): Promise<void> {
    const known = new Set(this.#manifest.value.segments.map(({ id }) => String(id)));
    const deleted = new Set(
      this.deletions.flatMap(({ id, hidden }) => hidden.map(({ segment }) => this.deletedPath(segment, id))),
    );
    for (const name of await readdir(this.#dir)) {
      const id = name.split(".", 1)[0] as string;
      if (known.has(id) && (!name.includes(".deleted-") || deleted.has(join(this.#dir, name)))) continue;
      await rm(join(this.#dir, name), { force: true, recursive: true });
      this.#logger.info("removed a file of an unfinished flush", { file: name });
    }
    // Ids of quarantined segments stay taken, so that a new file never has the name of one there.
    const quarantined = await readdir(this.#quarantineDir).catch(() => []);
    const ids = [...known, ...quarantined.map((name) => name.split(".", 1)[0])]
      .map(Number)
      .filter(Number.isSafeInteger);
    for (const id of ids) this.#lastId = Math.max(this.#lastId, id);
  }
}

/** Without what can be made of them. */
function filesOf({ dataPath, indexPath, deleted }: Segment): readonly string[] {
  return [dataPath, indexPath, ...deleted.map(({ path }) => path)];
}

async function verifyFile(path: string, wanted: number): Promise<void> {
  const { crc } = await checksumFile(path);
  if (crc !== wanted) throw new CorruptionError(`${path}: the file does not match its checksum`);
}

function grouped(segments: readonly Segment[]): ReadonlyMap<TenantId, readonly Segment[]> {
  const byTenant = new Map<TenantId, Segment[]>();
  for (const segment of segments) {
    const list = byTenant.get(segment.info.tenant);
    if (list) list.push(segment);
    else byTenant.set(segment.info.tenant, [segment]);
  }
  return byTenant;
}
