-- Pages of ten minutes become pages of two hours some time later (metrics/merge-pages.ts): those are read several times faster.
ALTER TABLE pages ADD merged boolean NOT NULL DEFAULT false;
CREATE INDEX pages_to_merge ON pages (time) WHERE NOT merged;
