"""Tokens and people in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from scheduler_site.models import ApiToken, create_token, revoke_token

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    pass


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """A token is shown once, on the page that follows its making; then only its traces are."""

    list_display = ("label", "kind", "tenant", "validity", "created_at", "used_at")
    list_filter = ("kind", "revoked_at")
    search_fields = ("label", "tenant")
    fields = ("kind", "tenant", "label")
    actions = ("revoke_tokens",)
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("scheduler_site.change_apitoken")

    @display(description="validity", label={"valid": "success", "revoked": "danger"})
    def validity(self, token: ApiToken) -> str:
        return "revoked" if token.revoked_at else "valid"

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke_tokens(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        for token in tokens:
            revoke_token(token)
        self.message_user(request, "New connections with them are refused, within 10 s.")

    def save_model(
        self, request: Any, obj: ApiToken, form: "ModelForm[ApiToken]", change: bool
    ) -> None:
        made, request.token_text = create_token(kind=obj.kind, tenant=obj.tenant, label=obj.label)
        obj.__dict__.update(made.__dict__)

    def response_add(
        self, request: Any, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "A new token",
            "token": obj,
            "text": request.token_text,
        }
        return TemplateResponse(request, "admin/token_created.html", context)
