-- Releases before this one find samples in pages of ten minutes alone.
DO $body$
BEGIN
  IF EXISTS (SELECT FROM pages WHERE merged) THEN
    RAISE EXCEPTION 'there are merged pages, which releases before this migration can not read: restore a backup from before it';
  END IF;
END $body$;
DROP INDEX pages_to_merge;
ALTER TABLE pages DROP merged;
