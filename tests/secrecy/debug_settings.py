"""The settings of a web process that a developer has told to show errors on its pages."""

from ctweb.settings import *  # noqa: F403

DEBUG = True
