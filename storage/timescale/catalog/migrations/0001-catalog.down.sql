DROP TABLE audit, api_keys, catalog_revision;
DROP FUNCTION audit_stays, next_catalog_revision;
