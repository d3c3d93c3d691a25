"""PostgreSQL through Piccolo and asyncpg: tables, migrations, repositories, unit of work.

Nothing here connects at import, and no table, row or query leaves this package.
"""
