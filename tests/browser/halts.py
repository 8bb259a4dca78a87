"""Going on after a halt, as a person does on the page of risk."""

from playwright.sync_api import Page, expect

from bench.system import System


def resume(page: Page, system: System) -> None:
    page.locator("[data-resume='global:']").click()
    page.locator("#resume-form [name=reason]").fill("the drill is over")
    page.locator("#resume-form [name=password]").fill(system.login[1])
    page.locator("#resume-form .main").click()
    expect(page.locator("#switches li").first.locator(".rs")).to_have_text("ACTIVE")
