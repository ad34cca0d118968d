"""What one deletion sets off further along the graph."""

from typing import Any

import pytest

from tests.tools.backends import Backend
from uowredis import InstanceHashField, RestrictedError, Session
from uowredis.contrib import related


@pytest.fixture
def models(server: Backend) -> dict[str, Any]:
    """Return three models: a page restricts its site, and goes with its chapter, which goes with the site."""
    main = server.database()

    class Site(related.RelatedModel):
        database = main
        name = InstanceHashField()

    class Chapter(related.RelatedModel):
        database = main
        site = related.FKInstanceHashField(Site, on_delete=related.CASCADE)

    class Page(related.RelatedModel):
        database = main
        site = related.FKStringField(Site, on_delete=related.RESTRICT)
        chapter = related.M2MSetField(Chapter, on_delete=related.CASCADE)

    return {"site": Site, "chapter": Chapter, "page": Page}


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in a session"])
def test_who_restricts_may_go_by_a_later_cascade(server: Backend, models: dict[str, Any], inside: bool) -> None:
    """It is judged when all that goes is known: the page is found first, and goes two steps later."""
    site = models["site"](name="x")
    chapter = models["chapter"](site=site)
    models["page"](site=site, chapter=[chapter])
    if inside:
        with Session(site.database) as session:
            site.delete()
            assert [] == list(models["page"].collection())
            session.commit()
    else:
        site.delete()
    assert [] == [key for key in server.dump() if not key.endswith(b":max_pk")]


def test_who_restricts_and_stays_keeps_all_of_it(server: Backend, models: dict[str, Any]) -> None:
    """Nothing of the chain is deleted where one reference at its end restricts."""
    site = models["site"](name="x")
    chapter = models["chapter"](site=site)
    gone, stays = models["page"](site=site, chapter=[chapter]), models["page"](site=site)
    before = server.dump()
    with pytest.raises(RestrictedError) as caught:
        site.delete()
    assert (("Page", stays.pk.get(), "site"),) == caught.value.referrers
    assert before == server.dump()
    assert ["1"] == list(gone.chapter())


def test_a_circle_goes_whole_from_wherever_it_is_begun(server: Backend) -> None:
    """Each object of a circle of CASCADE is reached once."""

    class Link(related.RelatedModel):
        database = server.database()
        next = related.FKInstanceHashField("self", related_name="before", on_delete=related.CASCADE)

    with Session(Link.database) as session:
        links = [Link() for _ in range(5)]
        for place, link in enumerate(links):
            link.next.hset(links[(place + 1) % 5])
        session.commit()
    links[3].delete()
    assert [b":link:max_pk"] == [*server.dump()]
