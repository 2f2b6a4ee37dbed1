-- Which layout the samples have: 'hypertable' with TimescaleDB, else 'partitions'.
CREATE TABLE facts (key text PRIMARY KEY, value text NOT NULL);

CREATE TABLE tenants (
  id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  deletions int4 NOT NULL DEFAULT 0 -- how often samples were deleted: what writers remember of them is no longer true
);

-- A collector with a write-ahead log: what it wrote up to this position is here.
CREATE TABLE writers (
  name text PRIMARY KEY,
  position int8 NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Numbers the transactions that write samples: of two samples of one time the one with the lower number was first.
CREATE SEQUENCE flushes;

CREATE TABLE series (
  tenant int4 NOT NULL,
  id int8 NOT NULL, -- made of hashes of tenant, metric name and labels (metrics/series-id.ts)
  digest int8 NOT NULL, -- more of the hash of the labels, to tell apart what has the same id
  labels text NOT NULL, -- JSON: [[name, value], …]
  info text NOT NULL, -- JSON: [type, unit, temporality, otelName]
  pairs int8[] NOT NULL, -- hashes of each label and of each label name
  kinds int2 NOT NULL, -- 1: has samples, 2: has histograms; 3: both
  first_day int4 NOT NULL, -- since 1970; of a series without samples later than last_day
  last_day int4 NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (fillfactor = 85);
CREATE INDEX series_pairs ON series USING gin (pairs);

CREATE TABLE exemplars (
  tenant int4 NOT NULL,
  series int8 NOT NULL,
  time int8 NOT NULL,
  digest int8 NOT NULL, -- of value and labels
  value float8 NOT NULL,
  labels text NOT NULL, -- JSON
  PRIMARY KEY (tenant, series, time, digest)
);
CREATE INDEX exemplars_by_time ON exemplars (tenant, time);

CREATE TABLE metadata (
  tenant int4 NOT NULL,
  digest int8 NOT NULL, -- of the metric's name
  metadata text NOT NULL, -- JSON
  PRIMARY KEY (tenant, digest)
);

-- Samples of some series of one metric and ten minutes, compressed (metrics/page-codec.ts). Only in plain PostgreSQL.
CREATE TABLE pages (
  tenant int4 NOT NULL,
  bucket int4 NOT NULL, -- the bits of the ids that stand for the metric
  first_series int8 NOT NULL,
  last_series int8 NOT NULL,
  time int8 NOT NULL, -- of the first sample; all are of the same ten minutes
  last_time int8 NOT NULL,
  samples int4 NOT NULL,
  data bytea NOT NULL
) PARTITION BY RANGE (time);
CREATE INDEX pages_by_bucket ON pages (bucket, time);
-- The bytes are compressed: PostgreSQL need not try.
ALTER TABLE pages ALTER data SET STORAGE EXTERNAL;

DO $layout$
DECLARE
  timescale boolean := '$extension$' = 'auto' AND EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb');
BEGIN
  INSERT INTO facts VALUES ('layout', CASE WHEN timescale THEN 'hypertable' ELSE 'partitions' END);
  -- `value` is first after `time` and what is narrow is last: so a row has no padding.
  EXECUTE 'CREATE TABLE samples (
    time int8 NOT NULL, value float8 NOT NULL, series int8 NOT NULL, flush int8 NOT NULL,
    start int8, tenant int4 NOT NULL)' || CASE WHEN timescale THEN '' ELSE ' PARTITION BY RANGE (time)' END;
  EXECUTE 'CREATE TABLE histograms (
    time int8 NOT NULL, series int8 NOT NULL, flush int8 NOT NULL,
    start int8 NOT NULL, tenant int4 NOT NULL, data bytea NOT NULL)'
    || CASE WHEN timescale THEN '' ELSE ' PARTITION BY RANGE (time)' END;
  IF timescale THEN
    CREATE FUNCTION now_ms() RETURNS int8 LANGUAGE sql STABLE
      AS 'SELECT (extract(epoch FROM now()) * 1000)::int8';
    PERFORM create_hypertable('samples', by_range('time', $chunk$::int8), create_default_indexes => false);
    PERFORM create_hypertable('histograms', by_range('time', 86400000), create_default_indexes => false);
    PERFORM set_integer_now_func('samples', 'now_ms');
    PERFORM set_integer_now_func('histograms', 'now_ms');
  END IF;
  CREATE INDEX samples_by_series ON samples (series, time);
  CREATE INDEX histograms_by_series ON histograms (series, time);
  IF timescale THEN
    ALTER TABLE samples SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'tenant, series',
      timescaledb.orderby = 'time, flush');
  END IF;
END $layout$;

-- What a query may see. TimescaleDB allows no row-level security on tables with a columnstore, so samples have a view.
CREATE VIEW tenant_samples WITH (security_barrier) AS
  SELECT series, time, value, start, flush FROM samples WHERE tenant = current_setting('app.tenant')::int4;
CREATE VIEW tenant_histograms WITH (security_barrier) AS
  SELECT series, time, start, flush, data FROM histograms WHERE tenant = current_setting('app.tenant')::int4;

-- A function, because row-level security would keep the index on `pairs` from being used: its operators may leak.
-- `all_of`, `one_of`: of `pairs`; `parts`: of the JSON. NULL: any. Days are included.
CREATE FUNCTION tenant_series(low int8, high int8, all_of int8[], one_of int8[], parts text[], first int4, last int4)
RETURNS TABLE (id int8, labels text, info text, kinds int2)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = $schema$, pg_temp AS $body$
DECLARE
  own int4 := current_setting('app.tenant')::int4;
  part text;
  sql text := 'SELECT s.id, s.labels, s.info, s.kinds FROM series s WHERE s.tenant = $1 AND s.first_day <= $2 AND s.last_day >= $3';
BEGIN
  IF low IS NOT NULL THEN sql := sql || ' AND s.id BETWEEN $4 AND $5'; END IF;
  IF all_of IS NOT NULL THEN sql := sql || ' AND s.pairs @> $6'; END IF;
  IF one_of IS NOT NULL THEN sql := sql || ' AND s.pairs && $7'; END IF;
  IF parts IS NOT NULL THEN
    FOREACH part IN ARRAY parts LOOP sql := sql || format(' AND strpos(s.labels, %L) > 0', part); END LOOP;
  END IF;
  RETURN QUERY EXECUTE sql USING own, last, first, low, high, all_of, one_of;
END $body$;

ALTER TABLE exemplars ENABLE ROW LEVEL SECURITY;
ALTER TABLE metadata ENABLE ROW LEVEL SECURITY;
ALTER TABLE pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE series ENABLE ROW LEVEL SECURITY;

-- Queries run as a role that sees the rows of `app.tenant` alone. Roles belong to the whole server, and may be there.
DO $role$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sightline_reader') THEN
    CREATE ROLE sightline_reader NOLOGIN;
  END IF;
  IF NOT pg_has_role(current_user, 'sightline_reader', 'MEMBER') THEN
    EXECUTE format('GRANT sightline_reader TO %I', current_user);
  END IF;
  GRANT USAGE ON SCHEMA $schema$ TO sightline_reader;
  GRANT SELECT ON exemplars, metadata, pages, tenant_samples, tenant_histograms TO sightline_reader;
  REVOKE EXECUTE ON FUNCTION tenant_series FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION tenant_series TO sightline_reader;
  CREATE POLICY own_rows ON exemplars FOR SELECT TO sightline_reader
    USING (tenant = current_setting('app.tenant')::int4);
  CREATE POLICY own_rows ON metadata FOR SELECT TO sightline_reader
    USING (tenant = current_setting('app.tenant')::int4);
  CREATE POLICY own_rows ON pages FOR SELECT TO sightline_reader
    USING (tenant = current_setting('app.tenant')::int4);
  INSERT INTO facts VALUES ('reader', 'sightline_reader');
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'no role sightline_reader, because % may not create roles: the second wall between tenants is missing', current_user;
END $role$;
