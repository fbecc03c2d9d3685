"""What all pages share."""

from django.test import Client


def test_pages_that_name_no_icon_have_one(client: Client) -> None:
    there = client.get("/favicon.ico", follow=True)
    assert there.status_code == 200
    assert there["Content-Type"] == "image/svg+xml"
