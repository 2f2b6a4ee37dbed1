CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  key_id TEXT NOT NULL, -- "" when the server asks for no key
  client TEXT NOT NULL,
  action TEXT NOT NULL,
  details TEXT NOT NULL -- JSON
) STRICT;
CREATE INDEX audit_of_tenant ON audit (tenant, id);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit entries are never removed'); END;
