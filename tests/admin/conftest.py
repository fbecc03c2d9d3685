import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from lua.client import StoreSettings
from nodes.tasks import expire_nodes
from pools.store import store
from tests.api.fleet import FakeNode


@pytest.fixture(autouse=True)
def live_state(redis_settings: Settings) -> StoreSettings:
    """This test's own keys."""
    return store()


@pytest.fixture
def admin(db: None) -> Client:
    """A logged-in administrator."""
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client


@pytest.fixture
def node(db: None) -> FakeNode:
    """A ready node that SQL knows too."""
    node = FakeNode("node-1")
    node.register()
    expire_nodes()
    return node
