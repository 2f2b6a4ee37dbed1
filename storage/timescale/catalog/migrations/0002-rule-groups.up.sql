-- Every version of every group of rules; the newest one counts.
CREATE TABLE rule_groups (
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  version int8 NOT NULL,
  text text NOT NULL, -- YAML, '' when it was removed
  language text NOT NULL,
  changed_at_ms int8 NOT NULL,
  changed_by text NOT NULL,
  UNIQUE (tenant, namespace, name, version)
);
CREATE TRIGGER next_revision AFTER INSERT ON rule_groups
  FOR EACH STATEMENT EXECUTE FUNCTION next_catalog_revision();
