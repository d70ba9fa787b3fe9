"""Who may sign in. The only table of this room; everything about children belongs to other rooms."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Person(AbstractBaseUser):
    """A person in one role of one agency (``roles.toml`` says which). The purpose is chosen at each sign-in."""

    username = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=32)
    is_active = models.BooleanField(default=True)

    objects: BaseUserManager["Person"] = BaseUserManager()
    USERNAME_FIELD = "username"

    @property
    def code(self) -> str:
        """How the ledger names this person: a number, never a name."""
        return f"person:{self.pk}"
