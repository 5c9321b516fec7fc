-- Keep the R*Tree of a freely editable table in step (GeoPackage 1.4, annex F.3).
CREATE TRIGGER "rtree_{table}_geom_insert" AFTER INSERT ON "{table}"
WHEN (new."geom" NOT NULL AND NOT ST_IsEmpty(new."geom"))
BEGIN
    INSERT OR REPLACE INTO "rtree_{table}_geom" VALUES (
        new."fid", ST_MinX(new."geom"), ST_MaxX(new."geom"), ST_MinY(new."geom"), ST_MaxY(new."geom")
    );
END;
CREATE TRIGGER "rtree_{table}_geom_update2" AFTER UPDATE OF "geom" ON "{table}"
WHEN old."fid" = new."fid" AND (new."geom" ISNULL OR ST_IsEmpty(new."geom"))
BEGIN
    DELETE FROM "rtree_{table}_geom" WHERE id = old."fid";
END;
CREATE TRIGGER "rtree_{table}_geom_update4" AFTER UPDATE ON "{table}"
WHEN old."fid" != new."fid" AND (new."geom" ISNULL OR ST_IsEmpty(new."geom"))
BEGIN
    DELETE FROM "rtree_{table}_geom" WHERE id IN (old."fid", new."fid");
END;
CREATE TRIGGER "rtree_{table}_geom_update5" AFTER UPDATE ON "{table}"
WHEN old."fid" != new."fid" AND (new."geom" NOTNULL AND NOT ST_IsEmpty(new."geom"))
BEGIN
    DELETE FROM "rtree_{table}_geom" WHERE id = old."fid";
    INSERT OR REPLACE INTO "rtree_{table}_geom" VALUES (
        new."fid", ST_MinX(new."geom"), ST_MaxX(new."geom"), ST_MinY(new."geom"), ST_MaxY(new."geom")
    );
END;
CREATE TRIGGER "rtree_{table}_geom_update6" AFTER UPDATE OF "geom" ON "{table}"
WHEN old."fid" = new."fid" AND (new."geom" NOTNULL AND NOT ST_IsEmpty(new."geom"))
    AND (old."geom" NOTNULL AND NOT ST_IsEmpty(old."geom"))
BEGIN
    UPDATE "rtree_{table}_geom"
    SET minx = ST_MinX(new."geom"), maxx = ST_MaxX(new."geom"), miny = ST_MinY(new."geom"), maxy = ST_MaxY(new."geom")
    WHERE id = new."fid";
END;
CREATE TRIGGER "rtree_{table}_geom_update7" AFTER UPDATE OF "geom" ON "{table}"
WHEN old."fid" = new."fid" AND (new."geom" NOTNULL AND NOT ST_IsEmpty(new."geom"))
    AND (old."geom" ISNULL OR ST_IsEmpty(old."geom"))
BEGIN
    INSERT INTO "rtree_{table}_geom" VALUES (
        new."fid", ST_MinX(new."geom"), ST_MaxX(new."geom"), ST_MinY(new."geom"), ST_MaxY(new."geom")
    );
END;
CREATE TRIGGER "rtree_{table}_geom_delete" AFTER DELETE ON "{table}" WHEN old."geom" NOT NULL
BEGIN
    DELETE FROM "rtree_{table}_geom" WHERE id = old."fid";
END;
