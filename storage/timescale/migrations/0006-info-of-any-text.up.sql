-- As in 0002, for units and names of any characters: PostgreSQL makes no text of JSON that has a U+0000, but compares it as it is.
DROP TRIGGER note_info ON series;
CREATE OR REPLACE FUNCTION note_info() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
  own int8 := pg_current_xact_id()::text::int8;
  before text := (SELECT e.part::text FROM json_array_elements(OLD.info::json) WITH ORDINALITY e (part, n) WHERE e.n = 3);
  after text := (SELECT e.part::text FROM json_array_elements(NEW.info::json) WITH ORDINALITY e (part, n) WHERE e.n = 3);
BEGIN
  IF before IS DISTINCT FROM after
    AND NOT EXISTS (SELECT FROM changes WHERE tenant = NEW.tenant AND xid = own AND first_minute = -9e15::int8) THEN
    INSERT INTO changes VALUES (NEW.tenant, -9e15::int8, 9e15::int8, own);
  END IF;
  RETURN NULL;
END $body$;
CREATE TRIGGER note_info AFTER UPDATE OF info ON series FOR EACH ROW
  WHEN (OLD.info <> NEW.info) EXECUTE FUNCTION note_info();
