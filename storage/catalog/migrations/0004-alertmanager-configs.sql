-- The newest versions of every tenant's configuration of Alertmanager; the newest one counts.
CREATE TABLE alertmanager_configs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  version INTEGER NOT NULL,
  text TEXT NOT NULL, -- "" when it was removed
  changed_at_ms INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  UNIQUE (tenant, version)
) STRICT;
