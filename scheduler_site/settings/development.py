"""One machine, loopback, no authentication, everything kept in ``var/``."""

from scheduler_site.settings import environment
from scheduler_site.settings.base import *  # noqa: F403
from scheduler_site.settings.base import VAR_DIR

DEBUG = environment.flag("DEBUG", default=False)
SECRET_KEY = environment.text("SECRET_KEY", "") or environment.secret(VAR_DIR / "secret_key")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
