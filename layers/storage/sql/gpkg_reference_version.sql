-- A desktop program that edits a reference layer makes a new version of it, so that no page shows an old copy.
CREATE TRIGGER "{table}_version_insert" AFTER INSERT ON "{table}"
BEGIN
    UPDATE layer_version SET version = version + 1 WHERE kind = 'reference:{name}';
END;
CREATE TRIGGER "{table}_version_update" AFTER UPDATE ON "{table}"
BEGIN
    UPDATE layer_version SET version = version + 1 WHERE kind = 'reference:{name}';
END;
CREATE TRIGGER "{table}_version_delete" AFTER DELETE ON "{table}"
BEGIN
    UPDATE layer_version SET version = version + 1 WHERE kind = 'reference:{name}';
END;
