"""Django's own tables (people, sessions, lockouts) lie in the store's database."""
