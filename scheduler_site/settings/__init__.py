"""Settings of one process, chosen by ``PARLEY_ENV``: ``development`` (default) or ``production``.

``base`` holds what both share; every environment variable is read there, in one place.
"""

from scheduler_site.settings.base import DEVELOPMENT

if DEVELOPMENT:
    from scheduler_site.settings.development import *  # noqa: F403
else:
    from scheduler_site.settings.production import *  # noqa: F403
