"""`synthgen audit`"""

import typer

from synthgen_ray.commands.options import Limit, Offset
from synthgen_ray.commands.session import Session, command

group = typer.Typer(help="Read and verify the audit trail: who did what.", no_args_is_help=True)


@group.command("list")
@command
def list_audit(session: Session, limit: Limit = 50, offset: Offset = 0) -> None:
    """List what was made, changed, deleted, drawn and downloaded, newest first.

    Example: synthgen audit list --limit 20
    """
    columns = ["number", "at", "action", "object_id", "project_id", "key_id", "address", "request_id"]
    session.output.page(session.client.list_audit(limit, offset), columns)


@group.command("verify")
@command
def verify(session: Session) -> None:
    """Check that no event was changed or left out. Keep the newest hash elsewhere: none is missing while it is there.

    Example: synthgen audit verify
    """
    newest, broken = session.client.verify_audit()
    if broken is not None:
        session.output.say({"sound": False, "broken_at": broken}, f"The chain is broken at event {broken['number']}.")
        raise typer.Exit(1)
    said = f"Sound up to event {newest['number']}, {newest['hash']}." if newest else "There is no event yet."
    session.output.say({"sound": True, "newest": newest}, said)
