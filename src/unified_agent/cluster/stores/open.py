"""The store that the settings name, opened in the same way by an instance and by its guardian."""

from __future__ import annotations

from unified_agent.cluster.stores.base import Store
from unified_agent.cluster.stores.etcd import EtcdStore
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.domain.ports import Chance, Clock
from unified_agent.errors import SettingsError
from unified_agent.settings import StoreSettings


def store_from(settings: StoreSettings, clock: Clock, chance: Chance) -> Store:
    """Make the store, in the loop in which it is used; nothing is asked of it yet.

    Args:
        settings: with endpoints.
        clock: by which everything is timed.
        chance: for jitter.

    Raises:
        SettingsError: see ``etcd_settings_from``.
    """
    return EtcdStore(etcd_settings_from(settings), clock, chance)


def etcd_settings_from(settings: StoreSettings) -> EtcdSettings:
    """Turn what a site chose into what etcd's client takes.

    Raises:
        SettingsError: the choices contradict each other, or the password's file cannot be read.
    """
    return EtcdSettings(
        endpoints=settings.endpoints,
        prefix=settings.prefix,
        ca_file=settings.ca_file,
        client_cert_file=settings.client_cert_file,
        client_key_file=settings.client_key_file,
        server_name=settings.server_name,
        user=settings.user,
        password=settings.password or _read_password(settings),
    )


def _read_password(settings: StoreSettings) -> str:
    if settings.password_file is None:
        return ""
    try:
        return settings.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cluster.store.password_file cannot be read: {error}") from error
