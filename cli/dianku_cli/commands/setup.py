"""`dianku init`, `user add`, `token create`: set a shop up without questions."""

from __future__ import annotations

import sys

import click

from dianku_cli.output import write_json
from dianku_cli.settings import LANGUAGES, Settings
from dianku_cli.shop import acting, open_shop
from dianku_cli.texts import say

ROLES = ("owner", "manager", "clerk", "counter", "channel", "readonly")


def _password(*, wanted: bool) -> str | None:
    """The first line of standard input, when `--password-stdin` asks for it."""
    if not wanted:
        return None
    return sys.stdin.readline().rstrip("\r\n")


@click.command
@click.option("--shop", metavar="NAME", help="Name of the shop.")
@click.option(
    "--store", metavar="CODE", default="main", show_default=True, help="Code of the first store."
)
@click.option(
    "--timezone",
    metavar="ZONE",
    default="Asia/Shanghai",
    show_default=True,
    help="Time zone of the first store.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Language of the shop.")
@click.option("--owner", metavar="NAME", help="User name of the owner; without it, a set-up link.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def init(
    settings: Settings,
    *,
    shop: str | None,
    store: str,
    timezone: str,
    language: str | None,
    owner: str | None,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Set up the shop, its first store and owner.

    Every option has a default. Without --owner it prints a one-time link with which the owner
    chooses a password. Run again it changes nothing.

    Example: echo "$PASSWORD" | dianku init --shop "Corner shop" --owner anna --password-stdin
    """
    if password_stdin != (owner is not None):
        raise click.UsageError("--owner and --password-stdin go together")
    from dianku import operations

    password = _password(wanted=password_stdin)
    first = {"code": store, "name": store, "timezone": timezone}
    person = {"name": owner, "role": "owner", "password": password}
    wish = operations.SetUpWish(
        shop=shop or say("my_shop", language or settings.language),
        language=language or settings.language,
        store=operations.checked(first, operations.NewStore),
        owner=operations.checked(person, operations.NewUser) if owner else None,
    )
    with open_shop(settings) as host:
        done = operations.set_up(host, wish, ctx=acting(host, settings))
    if as_json:
        write_json({"changed": done.changed, "link": done.link})
        return
    click.echo(say("set_up" if done.changed else "set_up_before", settings.language))
    if done.link:
        click.echo(say("set_up_link", settings.language, link=done.link))


@click.group
def user() -> None:
    """Add people who sign in.

    Example: dianku user add --help
    """


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="clerk", show_default=True, help="Role.")
@click.option(
    "--store", "stores", metavar="CODE", multiple=True, help="Limit to stores; may be repeated."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def add(
    settings: Settings,
    *,
    name: str,
    role: str,
    stores: tuple[str, ...],
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Add a person.

    Without --password-stdin they can sign in once an owner has given them a password.

    Example: dianku user add li --role clerk --store main
    """
    from dianku.operations import NewUser, checked

    password = _password(wanted=password_stdin)
    wanted = {"name": name, "role": role, "stores": stores or None, "password": password}
    new = checked(wanted, NewUser)
    with open_shop(settings) as host:
        made = host.access.create_user(new, ctx=acting(host, settings))
    if as_json:
        write_json(made)
    else:
        click.echo(say("user_added", settings.language, name=name, role=role))


@click.group
def token() -> None:
    """Make tokens for the HTTP API.

    Example: dianku token create --help
    """


@token.command("create")
@click.option("--name", required=True, help="Name of the token, shown in the audit trail.")
@click.option("--role", type=click.Choice(ROLES), required=True, help="Role.")
@click.option(
    "--store", "stores", metavar="CODE", multiple=True, help="Limit to stores; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def create(
    settings: Settings, *, name: str, role: str, stores: tuple[str, ...], as_json: bool
) -> None:
    """Make a token and print it alone; only its hash is kept.

    Example: dianku token create --name till --role clerk --store main
    """
    from dianku.operations import NewToken, checked

    new = checked({"name": name, "role": role, "stores": stores or None}, NewToken)
    with open_shop(settings) as host:
        made = host.access.create_token(new, ctx=acting(host, settings))
    if as_json:
        write_json(made)
    else:
        click.echo(made.token)
