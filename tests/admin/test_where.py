"""The admin's page that says where a job would go."""

import pytest
from django.test import Client

from tests.api.fleet import FakeNode

PAGE = "/admin/jobs/job/where/"


def asked(admin: Client, **query: str) -> str:
    wish = {"src_lang": "en", "tgt_lang": "zh"} | query
    answer = admin.get(PAGE, wish)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_of_jobs_leads_to_it(admin: Client) -> None:
    assert PAGE in admin.get("/admin/jobs/job/").content.decode()
    page = admin.get(PAGE).content.decode()
    assert "Where would it go?" in page
    assert "Nodes looked at" not in page


def test_it_says_where_and_what_each_node_is_worth(admin: Client, node: FakeNode) -> None:
    page = asked(admin)
    assert "It would go to node-1 in the pool auto:en-zh." in page
    assert "usable" in page
    assert "0 of 2" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"exclude_node_id": "node-1"}, "It would wait, first in line"),
        ({"exclude_node_id": "node-1", "deadline_ms": "0"}, "It would go to node-1"),
        ({"tgt_lang": "de"}, "It would be refused with NO_CAPABLE_NODE: No node translates"),
        ({"tgt_lang": "auto"}, "tgt_lang"),
        ({"strict": "on"}, "Name the node that it must go to."),
        ({"deadline_ms": "soon"}, "Enter a whole number."),
    ],
)
def test_it_says_what_is_in_the_way(
    admin: Client, node: FakeNode, query: dict[str, str], expected: str
) -> None:
    assert expected in asked(admin, **query)


def test_strangers_do_not_see_it(db: None) -> None:
    assert Client().get(PAGE).status_code == 302
