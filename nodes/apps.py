from django.apps import AppConfig


class NodesConfig(AppConfig):
    name = "nodes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from nodes.decided import disabled_and_drained
        from pools import publication

        publication.of_nodes = disabled_and_drained
