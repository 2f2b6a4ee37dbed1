DROP TABLE rule_groups;
