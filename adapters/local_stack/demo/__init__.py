"""`slotkeeper demo`: all that the service does, over real HTTP, checked step by step."""
