"""Who made a change, as the history names them."""

from django.http import HttpRequest

ANYBODY = "anybody"


def author_of(request: HttpRequest) -> str:
    """The login, else how the digest of the token begins; anybody while authentication is off."""
    if request.user.is_authenticated:
        return request.user.get_username()
    credential = getattr(getattr(request, "principal", None), "credential", "")
    return f"token {credential[:12]}" if credential else ANYBODY
