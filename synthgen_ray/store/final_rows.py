"""The database's own guard of final jobs: no statement, ours or a stranger's, changes their status again."""

from sqlalchemy import Connection

_SQLITE = (
    "DROP TRIGGER IF EXISTS jobs_final",
    """
    CREATE TRIGGER jobs_final BEFORE UPDATE OF status ON jobs
    WHEN OLD.status IN ('completed', 'failed') AND NEW.status <> OLD.status
    BEGIN
        SELECT RAISE(ABORT, 'a final job keeps its status');
    END
    """,
)
_POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION refuse_a_final_jobs_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a final job keeps its status' USING ERRCODE = 'integrity_constraint_violation';
    END
    $$
    """,
    "DROP TRIGGER IF EXISTS jobs_final ON jobs",
    """
    CREATE TRIGGER jobs_final BEFORE UPDATE OF status ON jobs FOR EACH ROW
    WHEN (OLD.status IN ('completed', 'failed') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION refuse_a_final_jobs_move()
    """,
)


def guard_final_rows(connection: Connection) -> None:
    """Make the trigger. A migration that makes the table anew, as SQLite's batch mode does, loses it and calls this."""
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)
