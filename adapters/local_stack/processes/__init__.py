"""Starting, watching and stopping processes on this machine."""
