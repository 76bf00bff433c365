"""Settings: the model, loading with every error at once, editing that keeps comments, watching the saved file."""

from ticker.settings.ca_file import CaFile
from ticker.settings.model import (
    BroadcastSettings,
    BudgetSettings,
    FeedSettings,
    LimitSettings,
    PolledSettings,
    Settings,
    SymbolOptions,
    SymbolSettings,
)
from ticker.settings.server import ServerSettings
from ticker.settings.table import Table

__all__ = ["BroadcastSettings", "BudgetSettings", "CaFile", "FeedSettings", "LimitSettings", "PolledSettings", "ServerSettings", "Settings",
           "SymbolOptions", "SymbolSettings", "Table"]  # fmt: skip
