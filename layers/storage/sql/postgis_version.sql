CREATE OR REPLACE FUNCTION wangge_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE layer_version SET version = version + 1 WHERE kind = TG_ARGV[0];
    RETURN NULL;
END
$$
