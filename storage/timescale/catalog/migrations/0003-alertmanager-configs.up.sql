-- The newest versions of every tenant's configuration of Alertmanager; the newest one counts.
CREATE TABLE alertmanager_configs (
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL,
  version int8 NOT NULL,
  text text NOT NULL, -- '' when it was removed
  changed_at_ms int8 NOT NULL,
  changed_by text NOT NULL,
  UNIQUE (tenant, version)
);
CREATE TRIGGER next_revision AFTER INSERT ON alertmanager_configs
  FOR EACH STATEMENT EXECUTE FUNCTION next_catalog_revision();
