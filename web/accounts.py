"""Accounts: an administrator makes them, changes role and areas, sets one-time passwords, closes them."""

import secrets
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify

from geo.errors import InputError
from geo.words import Text
from layers.rights import ROLES
from layers.storage import accounts

from . import bodies, current, description
from .language import language

blueprint = APIBlueprint("accounts", __name__, tag="admin")


def described(account: accounts.Account) -> dict[str, Any]:
    """An account without its secrets."""
    return {
        "name": account.name,
        "role": account.role,
        "role_label": ROLES[account.role].to(language()),
        "areas": list(account.areas),
        "language": account.language,
        "disabled": account.disabled,
        "must_change": account.must_change,
        "created_at": account.created_at,
        "last_sign_in_at": account.last_sign_in_at,
    }


@blueprint.get("/api/v1/accounts")
@blueprint.doc(summary="All accounts")
def list_accounts() -> Response:
    """Name, role, areas, state; never a password or its hash."""
    return jsonify([described(account) for account in accounts.list_accounts(current.store())])


@blueprint.post("/api/v1/accounts")
@blueprint.input(bodies.NewAccount, arg_name="body")
@blueprint.doc(summary="Make an account", responses=description.MADE)
def add_account(body: dict[str, Any]) -> tuple[Response, int]:
    """The account, and its one-time password if none was given: it is shown this once."""
    made = accounts.create(
        current.store(),
        body["name"],
        body["role"],
        password=body["password"] or one_time_password(),
        areas=body["areas"],
        language=body["language"],
        actor=current.viewer().name,
    )
    shown = {} if body["password"] else {"password": made}
    return _once(described(accounts.read(current.store(), body["name"])) | shown), 201


@blueprint.patch("/api/v1/accounts/<name>")
@blueprint.input(bodies.AccountChange, arg_name="body")
@blueprint.doc(summary="Change role, areas, state or password of an account")
def change_account(name: str, body: dict[str, Any]) -> Response:
    """The account as it is now; all its sessions have ended."""
    if not body:
        raise InputError(Text("没有要修改的内容。", "There is nothing to change."), where="body")
    store, actor = current.store(), current.viewer().name
    if name == actor and (body.get("disabled") or "role" in body):
        raise InputError(
            Text("不能停用自己或更改自己的角色。", "You cannot close your own account or change your own role."),
            where="name",
            mend=Text("请由另一位管理员操作。", "Let another administrator do it."),
        )
    account = accounts.read(store, name)
    if "role" in body or "areas" in body:
        accounts.set_role(store, name, body.get("role", account.role), areas=body.get("areas"), actor=actor)
    if "language" in body:
        accounts.set_language(store, name, body["language"])
    if "disabled" in body:
        accounts.disable(store, name, disabled=body["disabled"], actor=actor)
    shown = {}
    if body.get("reset_password"):
        shown = {"password": accounts.set_password(store, name, one_time_password(), actor=actor)}
    return _once(described(accounts.read(store, name)) | shown)


def _once(body: dict[str, Any]) -> Response:
    """An answer that may hold a password: kept nowhere on its way."""
    response = jsonify(body)
    response.headers["Cache-Control"] = "no-store"
    return response


def one_time_password() -> str:
    """Random, long enough for every rule, without characters that are mistaken for each other."""
    alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))
