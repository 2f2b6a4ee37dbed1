-- What is left of days (UTC) that were downsampled, as pages of some series of one metric (metrics/tiers/tier-columns.ts).
CREATE TABLE tiers (
  tenant int4 NOT NULL,
  bucket int4 NOT NULL, -- as in pages
  tier int2 NOT NULL, -- samples that stayed, or which column of windows
  resolution int8 NOT NULL, -- length of the windows in ms
  first_series int8 NOT NULL,
  last_series int8 NOT NULL,
  time int8 NOT NULL, -- of the first sample; all are of the same day
  last_time int8 NOT NULL,
  samples int4 NOT NULL,
  data bytea NOT NULL
);
CREATE INDEX tiers_by_bucket ON tiers (bucket, tier, time);
CREATE INDEX tiers_by_time ON tiers (time);
ALTER TABLE tiers ALTER data SET STORAGE EXTERNAL;

-- Days of which nothing is left to downsample to this resolution: what came late for them stays as it came.
CREATE TABLE tier_days (
  tenant int4 NOT NULL,
  day int4 NOT NULL, -- since 1970
  resolution int8 NOT NULL,
  PRIMARY KEY (tenant, day)
);

ALTER TABLE tiers ENABLE ROW LEVEL SECURITY;
DO $role$
BEGIN
  IF EXISTS (SELECT FROM facts WHERE key = 'reader') THEN
    GRANT SELECT ON tiers TO sightline_reader;
    CREATE POLICY own_rows ON tiers FOR SELECT TO sightline_reader USING (tenant = current_setting('app.tenant')::int4);
  END IF;
END $role$;
