"""What every test that clicks does: sign in as the person of a role."""

from playwright.sync_api import Page, expect

from accessctl.domain.people import Role
from tests.web.house import PASSWORD


def enter(page: Page, address: str, role: Role) -> None:
    """Sign in as the person of a role, in place of whoever was there."""
    page.context.clear_cookies()
    page.goto(f"{address}/entrar")
    page.get_by_label("Usuario").fill(role.value)
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_role("heading", name="Lo que espera por mí")).to_be_visible()
