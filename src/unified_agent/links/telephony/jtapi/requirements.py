"""What JTAPI needs on this machine, looked for before anything is started. Cheap: no JVM."""

from __future__ import annotations

import glob
import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

from unified_agent.errors import SettingsError
from unified_agent.settings import JtapiSettings
