"""Django's name for this room."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The pages and the people who sign in to them."""

    name = "handhold.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
