"""What development and production share; all environment variables of Parley are read here."""

from pathlib import Path

from jobs.settings import JobSettings
from lua.client import SOCKET_OPTIONS
from lua.limits import Limits
from nodes.settings import NodeSettings
from pools.settings import PoolSettings
from scheduler_site.settings import environment
from scheduler_site.settings.logs import configure
from scheduler_site.valkey import socket_url

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = Path(environment.text("PARLEY_VAR", str(BASE_DIR / "var"))).resolve()

PARLEY_ENV = environment.choice("PARLEY_ENV", "development", ("development", "production"))
DEVELOPMENT = PARLEY_ENV == "development"
PARLEY_AUTH = environment.choice(
    "PARLEY_AUTH", "off" if DEVELOPMENT else "required", ("required", "off")
)
PARLEY_CELLS = environment.integer("PARLEY_CELLS", 1, at_least=1)
PARLEY_PREFIX = environment.text("PARLEY_PREFIX", "parley:")
PARLEY_ORIGINS = environment.words("PARLEY_ORIGINS")
REQUIRE_GPU = environment.flag("REQUIRE_GPU", default=not DEVELOPMENT)
# Every number has its default, its unit and its meaning in the dataclass of its app.
PARLEY_POOLS = environment.tuned(PoolSettings())
PARLEY_JOBS = environment.tuned(JobSettings())
PARLEY_NODES = environment.tuned(NodeSettings(require_gpu=REQUIRE_GPU))
PARLEY_LIMITS = environment.tuned(Limits())

STATE_REDIS_URL = environment.text("STATE_REDIS_URL", socket_url(VAR_DIR))
BROKER_REDIS_URL = environment.text("BROKER_REDIS_URL", STATE_REDIS_URL)
CACHE_REDIS_URL = environment.text("CACHE_REDIS_URL", BROKER_REDIS_URL)

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "scheduler_site",
    "pools",
    "jobs",
    "nodes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "scheduler_site.middleware.principals",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "scheduler_site.urls"
ASGI_APPLICATION = "scheduler_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": environment.database(url)
    if (url := environment.text("DATABASE_URL", ""))
    else environment.sqlite(VAR_DIR / "parley.sqlite3")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": CACHE_REDIS_URL,
        "KEY_PREFIX": f"{PARLEY_PREFIX}cache",
        "OPTIONS": {"CONNECTION_POOL_KWARGS": SOCKET_OPTIONS},
    }
}

# For broadcasts only, of which there are none yet: what must arrive goes by the mailboxes.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": BROKER_REDIS_URL, **SOCKET_OPTIONS}],
            "prefix": f"{PARLEY_PREFIX}channels",
        },
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["jobs.api.access.PrincipalAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["jobs.api.access.IsOperator"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "jobs.api.problems.handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Parley",
    "DESCRIPTION": "Dispatcher for live speech translation.",
    "VERSION": "0.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {"JobState": "jobs.models.job.STATES"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "jobs.api.schema.add_result",
        "nodes.api.schema.add_agents",
        "jobs.api.schema.add_problems",
    ],
}
UNFOLD = {"SITE_TITLE": "Parley", "SITE_HEADER": "Parley"}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"

LOGGING_CONFIG = None
configure(as_json=not DEVELOPMENT)
