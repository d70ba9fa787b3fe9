"""Addresses. They hold opaque numbers, never anything about a person."""

from django.urls import include, path

from handhold.web import api
from handhold.web.views import (
    child,
    errors,
    feeds,
    ledger,
    links,
    mending,
    notices,
    oversight,
    questions,
    send,
    sign_in,
    taking_back,
    today,
)

urlpatterns = [
    path("", today.today, name="today"),
    path("step/<int:step>/done", today.step_done, name="step-done"),
    path("child/<int:child>/", child.child, name="child"),
    path("notices/", notices.notices, name="notices"),
    path("notices/<int:notice>/", notices.notice, name="notice"),
    path("notices/<int:notice>/acknowledge", notices.acknowledge, name="acknowledge"),
    path("questions/", questions.questions, name="questions"),
    path("questions/next", questions.following, name="question-next"),
    path("questions/quality/", links.quality, name="link-quality"),
    path("questions/alike/<slug:pattern>/", questions.group, name="question-group"),
    path("questions/<int:question>/", questions.question, name="question"),
    path("questions/<int:question>/take-back", questions.take_back, name="question-take-back"),
    path("child/<int:child>/files/", links.files, name="files"),
    path("files/<int:file>/<slug:act>", links.act, name="file-act"),
    path("feeds/", feeds.feeds, name="feeds"),
    path("feeds/<str:feed>/normal", feeds.normal, name="feed-normal"),
    path("feeds/send/", send.send, name="send"),
    path("feeds/send/<uuid:upload>/", send.sent, name="sent"),
    path("feeds/<int:delivery>/", feeds.delivery, name="delivery"),
    path("feeds/<int:delivery>/decide", send.decide, name="decide"),
    path("api/v1/", api.page, name="api"),
    path("api/v1/", include((api.urls(), "api"), namespace="api")),
    path("feeds/<int:delivery>/quarantine/", mending.refused, name="refused"),
    path("feeds/<int:delivery>/quarantine.<str:ending>", mending.download, name="refused-file"),
    path("feeds/<int:delivery>/quarantine/<int:line>/", mending.row, name="refused-row"),
    path("feeds/<int:delivery>/take-back/", taking_back.take_back, name="take-back"),
    path("oversight/", oversight.oversight, name="oversight"),
    path("oversight/gap/<slug:kind>/", oversight.gaps, name="gap-kind"),
    path("oversight/<slug:figure>/", oversight.figure, name="figure"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("purpose/", sign_in.purpose, name="purpose"),
    path("nothing-here/", sign_in.nothing_here, name="nothing-here"),
]
handler404 = errors.not_found
