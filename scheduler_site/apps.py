from django.apps import AppConfig


class SchedulerSiteConfig(AppConfig):
    name = "scheduler_site"
    verbose_name = "Parley"

    def ready(self) -> None:
        from scheduler_site import checks  # noqa: F401
