-- Goes up in the transaction of every change, so that a process that sees it sees the change, too.
CREATE TABLE catalog_revision (
  only_row bool PRIMARY KEY DEFAULT true CHECK (only_row),
  revision int8 NOT NULL
);
INSERT INTO catalog_revision (revision) VALUES (1);

CREATE TABLE api_keys (
  id text PRIMARY KEY,
  name text NOT NULL,
  tenant text NOT NULL,
  scopes text[] NOT NULL,
  hash bytea NOT NULL CHECK (length(hash) = 32), -- SHA-256 of the token
  created_at_ms int8 NOT NULL,
  expires_at_ms int8,
  revoked_at_ms int8,
  last_used_at_ms int8
);

CREATE TABLE audit (
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at_ms int8 NOT NULL,
  tenant text NOT NULL,
  key_id text NOT NULL, -- '' when the server asks for no key
  client text NOT NULL,
  action text NOT NULL,
  details text NOT NULL -- JSON
);
CREATE INDEX audit_of_tenant ON audit (tenant, id);

CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit entries are never changed or removed';
END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

CREATE FUNCTION next_catalog_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE catalog_revision SET revision = revision + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER next_revision AFTER INSERT OR UPDATE OR DELETE ON api_keys
  FOR EACH STATEMENT EXECUTE FUNCTION next_catalog_revision();
