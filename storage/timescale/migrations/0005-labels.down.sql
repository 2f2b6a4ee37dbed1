DROP TRIGGER note_labels_of_new ON series;
DROP TRIGGER note_labels_of_changed ON series;
DROP TRIGGER forget_labels_of_deleted ON series;
DROP TRIGGER forget_labels_of_changed ON series;
DROP FUNCTION note_labels, forget_labels;
DROP TABLE labels;
