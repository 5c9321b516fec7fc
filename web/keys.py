"""The key that signs session cookies: made once, kept in the store, never in a file that is served or exported."""

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layers.storage.store import Store

SIGNING_KEY = "signing_key"


def signing_key(store: "Store") -> str:
    """The store's signing key, made at first use. A read-only store gets one for this run only."""
    found = store.settings.get(SIGNING_KEY)
    if found:
        return found
    made = secrets.token_hex(32)
    if store.readonly:
        return made
    # Not `settings.set`: that writes the value into the audit trail.
    with store.change("owner", "signing_key") as change:
        # Two servers may start at once: the first key holds for both.
        if not store.settings.get(SIGNING_KEY):
            store.settings.put(change.connection, SIGNING_KEY, made)
    return store.settings.get(SIGNING_KEY) or made
