-- Which labels series have, and from which day to which, so that lists of labels need not read series. Kept by triggers, whoever changes
-- series. A row spans the days of all series with its label, and stays as long as it is when some of them go.
CREATE TABLE labels (
  tenant int4 NOT NULL,
  name_hash int8 NOT NULL, -- as in series.pairs
  digest bytea NOT NULL, -- of `label`, which may be too long for an index
  label text NOT NULL, -- JSON: [name, value], as in series.labels
  first_day int4 NOT NULL,
  last_day int4 NOT NULL,
  PRIMARY KEY (tenant, name_hash, digest)
) WITH (fillfactor = 85);

-- Rows are written in one order, so that two writers can not deadlock, and only when they change. What joins depends on how much
-- there is, which the plan that is kept does not know: each label is looked up.
CREATE FUNCTION note_labels() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $body$
BEGIN
  INSERT INTO labels AS l (tenant, name_hash, digest, label, first_day, last_day)
  SELECT n.tenant, n.name_hash, n.digest, n.label, n.first_day, n.last_day
  FROM (
    SELECT s.tenant, s.pairs[2 * e.n] AS name_hash, sha256(convert_to(e.label::text, 'UTF8')) AS digest, e.label::text,
      min(s.first_day) AS first_day, max(s.last_day) AS last_day
    FROM changed s CROSS JOIN json_array_elements(s.labels::json) WITH ORDINALITY e (label, n)
    WHERE s.first_day <= s.last_day GROUP BY s.tenant, s.pairs[2 * e.n], e.label::text
  ) n LEFT JOIN labels k ON k.tenant = n.tenant AND k.name_hash = n.name_hash AND k.digest = n.digest
  WHERE k.tenant IS NULL OR n.first_day < k.first_day OR n.last_day > k.last_day
  ORDER BY 1, 2, 3
  ON CONFLICT (tenant, name_hash, digest) DO UPDATE
    SET first_day = least(l.first_day, excluded.first_day), last_day = greatest(l.last_day, excluded.last_day);
  RETURN NULL;
END $body$;
CREATE TRIGGER note_labels_of_new AFTER INSERT ON series
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_labels();
CREATE TRIGGER note_labels_of_changed AFTER UPDATE ON series
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_labels();

-- Of series that go, or are listed no more: labels that no other series has. Nobody may write for the tenant meanwhile.
CREATE FUNCTION forget_labels() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $body$
BEGIN
  IF NOT EXISTS (SELECT FROM gone WHERE TG_OP = 'DELETE' OR first_day > last_day) THEN RETURN NULL; END IF;
  DELETE FROM labels l USING (
    SELECT DISTINCT g.tenant, g.pairs[2 * e.n - 1] AS pair, g.pairs[2 * e.n] AS name_hash, e.label::text
    FROM gone g CROSS JOIN json_array_elements(g.labels::json) WITH ORDINALITY e (label, n)
    WHERE TG_OP = 'DELETE' OR g.first_day > g.last_day
  ) c
  WHERE l.tenant = c.tenant AND l.name_hash = c.name_hash AND l.digest = sha256(convert_to(c.label, 'UTF8'))
  AND NOT EXISTS (
    SELECT FROM series s WHERE s.tenant = c.tenant AND s.pairs @> ARRAY[c.pair] AND s.first_day <= s.last_day
    AND strpos(s.labels, c.label) > 0
  );
  RETURN NULL;
END $body$;
CREATE TRIGGER forget_labels_of_deleted AFTER DELETE ON series
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION forget_labels();
CREATE TRIGGER forget_labels_of_changed AFTER UPDATE ON series
  REFERENCING NEW TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION forget_labels();

INSERT INTO labels (tenant, name_hash, digest, label, first_day, last_day)
SELECT s.tenant, s.pairs[2 * e.n], sha256(convert_to(e.label::text, 'UTF8')), e.label::text, min(s.first_day), max(s.last_day)
FROM series s CROSS JOIN json_array_elements(s.labels::json) WITH ORDINALITY e (label, n)
WHERE s.first_day <= s.last_day GROUP BY s.tenant, s.pairs[2 * e.n], e.label::text;

ALTER TABLE labels ENABLE ROW LEVEL SECURITY;
DO $role$
BEGIN
  IF EXISTS (SELECT FROM facts WHERE key = 'reader') THEN
    GRANT SELECT ON labels TO sightline_reader;
    CREATE POLICY own_rows ON labels FOR SELECT TO sightline_reader USING (tenant = current_setting('app.tenant')::int4);
  END IF;
END $role$;
