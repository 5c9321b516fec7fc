"""`wangge demo`: the sample county, made when it is not there, served, with a sign-in for every role."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import ConflictError, NotFoundError
from geo.words import Text

from .serve import serve_until_stopped
from .store import shown
from .terminal import Progress, answer, language, say, table

if TYPE_CHECKING:
    from layers.imports.sample import SignIn
    from layers.storage.store import Store

DEFAULT_STORE = "wangge-demo.gpkg"


def run(arguments: Namespace) -> int:
    """Make or open the sample, set its passwords, show address and sign-ins, serve."""
    from layers.imports import sample

    store, made = _open_or_make(arguments.store or DEFAULT_STORE, arguments.size)
    with store:
        # The lock first: passwords must not change under a server that already runs on this store.
        with store.serve_lock():
            known = sample.sign_ins(store)
        if not made:
            say(
                Text(
                    f"使用已有的示例数据库 {shown(store)}；已为示例账号换上新密码。",
                    f"Using the sample that is there, {shown(store)}; its accounts have new passwords.",
                )
            )
        _show(known)
        if arguments.no_serve:
            return 0
        answer(Text("按 Ctrl-C 停止。", "Press Ctrl-C to stop."))
        serve_until_stopped({"HOST": arguments.host, "PORT": arguments.port}, store)
    return 0


def _open_or_make(given: str, size: str) -> "tuple[Store, bool]":
    """The sample store, and whether it was made just now. ConflictError when the store is a real one."""
    from layers.imports import sample
    from layers.storage.store import Store

    try:
        store = Store.open(given)
    except NotFoundError:
        return _make(given, size), True
    if sample.is_sample(store):
        return store, False
    if store.versions():
        store.close()
        raise ConflictError(
            Text(f"{given} 是真实数据库，不是示例县。", f"{given} is a real store, not the sample county."),
            where="--store",
            mend=Text("请换一个文件名，或用 wangge serve。", "Choose another file, or use wangge serve."),
        )
    _fill(store, size)
    return store, True


def _make(given: str, size: str) -> "Store":
    from layers.storage.store import Store

    store = Store.create(given)
    try:
        _fill(store, size)
    except BaseException:
        store.close()
        # Half a sample would look like a real store at the next start: a file that was just made goes again.
        if store.path is not None:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{store.path}{suffix}").unlink(missing_ok=True)
        raise
    return store


def _fill(store: "Store", size: str) -> None:
    import time

    from layers.imports import sample

    began = time.monotonic()
    say(Text(f"正在生成示例数据 {shown(store)} ...", f"Making the sample in {shown(store)} ..."))
    with Progress(Text("写入", "storing")) as progress:
        county = sample.make_sample(store, size=size, progress=progress)
    counts = {kind: len(county[kind]) for kind in ("village", "grid", "camera", "incident")}
    seconds = time.monotonic() - began
    say(
        Text(
            f"{county.name}（虚构）：{counts['village']} 个村（社区），{counts['grid']} 个网格，"
            f"{counts['camera']} 个视频点位，{counts['incident']} 起事件，用时 {seconds:.1f} 秒。",
            f"{county.name} (made up): {counts['village']} villages, {counts['grid']} grids, "
            f"{counts['camera']} camera sites, {counts['incident']} incidents, in {seconds:.1f} s.",
        )
    )


def _show(known: "list[SignIn]") -> None:
    from layers.rights import ROLES

    heads = (Text("角色", "role"), Text("账号", "account"), Text("密码", "password"), Text("区域", "areas"))
    rows = [
        (ROLES[entry.role].to(language()), entry.name, entry.password, " ".join(entry.areas) or "-") for entry in known
    ]
    for line in table(heads, rows):
        answer(line)
