-- When which minutes of samples changed, so that results of queries can be kept. A row is written in the transaction that makes the
-- change; whoever took the lowest transaction still under way before reading knows all changes of lower ones
-- (metrics/stored-changes.ts). Rows are added and removed, never changed: no two writers wait for each other.
CREATE TABLE changes (
  tenant int4, -- NULL: all
  first_minute int8 NOT NULL, -- since 1970
  last_minute int8 NOT NULL,
  xid int8 NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX changes_by_tenant ON changes (tenant, xid);

-- Changes of lower transactions may be missing: they were removed after some time.
INSERT INTO facts VALUES ('changes_horizon', '0');

-- Another temporality changes what samples of any time mean.
CREATE FUNCTION note_info() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
  own int8 := pg_current_xact_id()::text::int8;
BEGIN
  IF NOT EXISTS (SELECT FROM changes WHERE tenant = NEW.tenant AND xid = own AND first_minute = -9e15::int8) THEN
    INSERT INTO changes VALUES (NEW.tenant, -9e15::int8, 9e15::int8, own);
  END IF;
  RETURN NULL;
END $body$;
CREATE TRIGGER note_info AFTER UPDATE OF info ON series FOR EACH ROW
  WHEN (OLD.info <> NEW.info AND OLD.info::json ->> 2 IS DISTINCT FROM NEW.info::json ->> 2) EXECUTE FUNCTION note_info();
