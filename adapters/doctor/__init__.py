"""The checks of `slotkeeper doctor`. A check changes nothing."""
