"""What `slotkeeper doctor` looks at, one check a module. A check changes nothing anywhere."""
