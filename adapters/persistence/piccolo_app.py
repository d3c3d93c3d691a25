"""What Piccolo's own commands have to know of this package."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="slotkeeper",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(
        [
            "adapters.persistence.tables",
            "adapters.persistence.booking_tables",
            "adapters.persistence.keeping_tables",
        ],
        exclude_imported=True,
    ),
)
