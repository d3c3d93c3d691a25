"""The settings that Piccolo's own commands read."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="slotkeeper",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(
        [
            "adapters.persistence.tables.core",
            "adapters.persistence.tables.bookings",
            "adapters.persistence.tables.privacy",
            "adapters.persistence.tables.audit",
        ],
        exclude_imported=True,
    ),
)
