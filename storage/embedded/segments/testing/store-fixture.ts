import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Component } from "@sightline/model/ports.ts";

type Store = Component & { maintain(): Promise<void> };

/** A fixture as the conformance suites want them: stores that follow each other in one directory, gone in the end. */
export async function storeFixture<S extends Store>(make: (dir: string) => S) {
  const root = await mkdtemp(join(tmpdir(), "segments-"));
  // A name that would break out of a careless SQL literal or be taken for a pattern.
  const dir = join(root, "it's [a] *dir");
  const opened: S[] = [];
  const open = async () => {
    const store = make(dir);
    await store.start();
    opened.push(store);
    return store;
  };
  return {
    store: await open(),
    reopen: open,
    maintain: () => (opened.at(-1) as S).maintain(),
    dispose: async () => {
      await opened.pop()?.stop();
      await rm(root, { recursive: true });
      // What stopped as by `kill -9` has nowhere left to write to.
      for (const store of opened) await store.stop().catch(() => {});
    },
  };
}
