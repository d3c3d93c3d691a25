"""The subcommands of `slotkeeper`, one a module, each imported only when it is called."""
