DROP TABLE alertmanager_configs;
