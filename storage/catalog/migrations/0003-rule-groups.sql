-- Every version of every group of rules; the newest one counts.
CREATE TABLE rule_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  text TEXT NOT NULL, -- YAML, "" when it was removed
  language TEXT NOT NULL,
  changed_at_ms INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  UNIQUE (tenant, namespace, name, version)
) STRICT;
