-- What an execution read, wrote and deleted lies beside it as JSON: after each cell there is one row to write.
-- `access` shows the same as it did.
ALTER TABLE execution ADD COLUMN reads TEXT NOT NULL DEFAULT '[]';
ALTER TABLE execution ADD COLUMN writes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE execution ADD COLUMN deletes TEXT NOT NULL DEFAULT '[]';
UPDATE execution SET
    reads = (SELECT json_group_array(name) FROM access WHERE access.execution = execution.id AND kind = 'read'),
    writes = (SELECT json_group_object(name, fingerprint) FROM access WHERE access.execution = execution.id AND kind = 'write'),
    deletes = (SELECT json_group_array(name) FROM access WHERE access.execution = execution.id AND kind = 'delete');
DROP TABLE access;
CREATE VIEW access AS
    SELECT execution.id AS execution, one.value AS name, 'read' AS kind, NULL AS fingerprint
    FROM execution, json_each(execution.reads) AS one
    UNION ALL
    SELECT execution.id, one.key, 'write', one.value FROM execution, json_each(execution.writes) AS one
    UNION ALL
    SELECT execution.id, one.value, 'delete', NULL FROM execution, json_each(execution.deletes) AS one;
