DROP VIEW tenant_samples, tenant_histograms;
DROP FUNCTION tenant_series;
DROP TABLE samples, histograms, pages, exemplars, metadata, series, writers, tenants, facts;
DROP SEQUENCE flushes;
DROP FUNCTION IF EXISTS now_ms;
