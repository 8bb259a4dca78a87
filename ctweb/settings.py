"""Django's settings: the environment first, then what follows from it; long tables stand in `ctweb.conf`."""

import decimal

from apps.logs import logging_settings
from ctweb.conf import api, security
from ctweb.conf.stores import databases
from ctweb.env import ROOT, VERSION, load

ENVIRONMENT = load()

BASE_DIR = ROOT
PORT = ENVIRONMENT.port
SOURCE = ENVIRONMENT.source
CT_EMBEDDED = ENVIRONMENT.embedded
CT_DATA_DIR = ENVIRONMENT.data_dir
CT_ROLE = ENVIRONMENT.role
CT_DAEMON_ID = ENVIRONMENT.daemon_id
CT_PAIRS_PER_CONNECTION = ENVIRONMENT.pairs_per_connection
CT_MAX_CONNECTIONS = ENVIRONMENT.max_connections
CT_ORDERBOOK_DEPTH = ENVIRONMENT.orderbook_depth
CT_BATCH_SIZE = ENVIRONMENT.batch_size
CT_BATCH_INTERVAL_S = ENVIRONMENT.batch_interval_s
CT_HISTORY_DAYS = ENVIRONMENT.history_days
CT_DEFAULT_STRATEGY = ENVIRONMENT.default_strategy
CT_MAX_OPEN_ORDERS = ENVIRONMENT.max_open_orders  # of one account: no limit that people set goes beyond
CT_SECOND_PERSON = ENVIRONMENT.second_person  # False: a desk of one approves its own live accounts
CT_SECOND_FACTOR = ENVIRONMENT.second_factor  # live: for what reaches live accounts; all: for every step of that kind
CT_PUBLISH_HZ = ENVIRONMENT.publish_hz
CT_SIMULATOR_URL = ENVIRONMENT.simulator_url  # None: the real exchanges
CT_CAPTURES_DIR = ENVIRONMENT.captures_dir
CT_SEAL_PUBLIC_KEY = ENVIRONMENT.seal_public_key
CT_SEAL_PRIVATE_KEYS_FILE = ENVIRONMENT.seal_private_keys_file  # None: all processes but executors
CT_ID_NAMESPACE = ENVIRONMENT.id_namespace
CT_ID_KEY = ENVIRONMENT.id_key  # None: this process makes no ids of orders
CT_BUILD_ID = ENVIRONMENT.build_id
CT_TEST_HOOKS = ENVIRONMENT.test_hooks
CT_CANCEL_ON_STOP = ENVIRONMENT.cancel_on_stop
CT_CELERY_CHECK_S = ENVIRONMENT.celery_check_s
CT_HALT_FILE = ENVIRONMENT.halt_file  # while it is there this host's senders send no order
CT_PAGER_URL = ENVIRONMENT.pager_url  # who knows it may page: it is kept as a secret
CT_PAGER_EMAIL_TO = ENVIRONMENT.pager_email_to
CT_PAGER_EMAIL_FROM = ENVIRONMENT.pager_email_from
CT_SMTP_URL = ENVIRONMENT.smtp_url  # has a password in it
CT_LOG_LEVEL = ENVIRONMENT.log_level
CT_LOG_JSON = ENVIRONMENT.log_json
REDIS_URL = ENVIRONMENT.redis_url
CLICKHOUSE_URL = ENVIRONMENT.clickhouse_url

# 38 digits are summed without rounding; threads take it from the default, this one from its own context.
decimal.DefaultContext.prec = 60
decimal.getcontext().prec = 60

DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
INSTALLED_APPS = [
    "ctweb",  # first: its templates dress the admin
    "apps.users",
    "apps.feeds",
    "apps.monitoring",
    "apps.trading",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",  # above the files: they carry the policy too
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.users.middleware.session_limits",
    "apps.users.middleware.private_json",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last: turns a locked name into an answer
]
ROOT_URLCONF = "ctweb.urls"
ASGI_APPLICATION = "ctweb.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

DATABASES = databases(ENVIRONMENT.database_url)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = logging_settings(level=CT_LOG_LEVEL, json=CT_LOG_JSON)

AUTH_USER_MODEL = "users.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = security.AUTHENTICATION_BACKENDS
OTP_TOTP_ISSUER = "ct-system"  # as the telephone names it
AUTH_PASSWORD_VALIDATORS = security.AUTH_PASSWORD_VALIDATORS
AXES_HANDLER = security.AXES_HANDLER
AXES_SENSITIVE_PARAMETERS = security.AXES_SENSITIVE_PARAMETERS
AXES_FAILURE_LIMIT = security.AXES_FAILURE_LIMIT
AXES_COOLOFF_TIME = security.AXES_COOLOFF_TIME
AXES_LOCKOUT_PARAMETERS = security.AXES_LOCKOUT_PARAMETERS
AXES_RESET_ON_SUCCESS = security.AXES_RESET_ON_SUCCESS
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = security.AXES_ENABLE_ACCESS_FAILURE_LOG
CONTENT_SECURITY_POLICY = security.CONTENT_SECURITY_POLICY
SESSION_COOKIE_AGE = security.SESSION_IDLE_S
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # a page that only listens renews the session, and could not renew a cookie
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not CT_EMBEDDED
SECURE_HSTS_SECONDS = 0 if CT_EMBEDDED else security.YEAR_S
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DEFAULT_EXCEPTION_REPORTER_FILTER = "ctweb.discretion.NothingThatWasSent"

REST_FRAMEWORK = api.rest_framework(basic=CT_EMBEDDED)
REST_KNOX = api.REST_KNOX
SPECTACULAR_SETTINGS = {**api.SPECTACULAR_SETTINGS, "VERSION": VERSION}

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# A clone where collectstatic has not run serves the files from where they lie, under their plain names.
COLLECTED = (STATIC_ROOT / "staticfiles.json").is_file()
SERVESTATIC_USE_FINDERS = not COLLECTED
SERVESTATIC_ALLOW_ALL_ORIGINS = False
SERVESTATIC_MANIFEST_STRICT = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
