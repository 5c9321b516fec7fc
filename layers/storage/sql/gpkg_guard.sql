-- Only connections that registered wangge_guard() may change the table; others get "no such function".
CREATE TRIGGER "{table}_guard_insert" BEFORE INSERT ON "{table}" WHEN NOT wangge_guard()
BEGIN
    SELECT RAISE(ABORT, 'read only outside wangge');
END;
CREATE TRIGGER "{table}_guard_update" BEFORE UPDATE ON "{table}" WHEN NOT wangge_guard()
BEGIN
    SELECT RAISE(ABORT, 'read only outside wangge');
END;
CREATE TRIGGER "{table}_guard_delete" BEFORE DELETE ON "{table}" WHEN NOT wangge_guard()
BEGIN
    SELECT RAISE(ABORT, 'read only outside wangge');
END;
