DROP TRIGGER note_info ON series;
DROP FUNCTION note_info;
DROP TABLE changes;
DELETE FROM facts WHERE key = 'changes_horizon';
