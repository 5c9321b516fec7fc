CREATE OR REPLACE FUNCTION wangge_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('wangge.writer', true) IS DISTINCT FROM '1' THEN
        RAISE EXCEPTION 'read only outside wangge';
    END IF;
    RETURN NULL;
END
$$
