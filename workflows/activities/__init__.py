"""The activities: methods of classes that call use cases and add nothing of their own.

One activity works one page. A use case counts each row's failure and does not raise it.
"""
