"""What follows when an object is deleted that others refer to: judged on the net result of all that is said."""

import itertools
from typing import Any

import pytest

from tests.contrib.related.by_field import FIELDS, MANY, SINGLE, Models, Society, check, forget, refer, stored, there
from tests.tools.backends import Backend
from tests.tools.wholeness import check_whole
from uowredis import DoesNotExist, InstanceHashField, RestrictedError, Session, UniquenessError
from uowredis.contrib.related import (
    CASCADE,
    CLEAR,
    RESTRICT,
    FKInstanceHashField,
    M2MListField,
    OnDelete,
    RelatedModel,
)

every_field = pytest.mark.parametrize("field", FIELDS)
every_rule = pytest.mark.parametrize("rule", list(OnDelete), ids=lambda rule: rule.name)


def commit(models: Models, *said: Any) -> list[Any]:
    """Say all of *said* in one session; return the replies."""
    with Session(models.database, on_pending="discard") as session:
        for say in said:
            say()
        return session.commit()


@every_field
@pytest.mark.parametrize("how", ["alone", "in a session"])
def test_clear(server: Backend, field: Any, how: str) -> None:
    """Whoever refers to a deleted object loses that reference, and nothing else."""
    models = Models(server.database(), field, CLEAR)
    gone, other = models.persons("go")
    group = models.group("g", other, gone)
    models.group("kept", other)
    refer(other.likes, gone)
    if how == "alone":
        gone.delete()
    else:
        commit(models, gone.delete)
    assert {"o"} == there(server, "person")
    assert {"g", "kept"} == there(server, "group")
    assert ["o"] * (field in MANY) == stored(server, "group", "g", "of")
    assert ["o"] == stored(server, "group", "kept", "of")
    assert [] == stored(server, "person", "o", "likes")
    assert ("n", "x", {"t"}) == (group.note.hget(), group.text.get(), group.tags.smembers())
    assert ({"g", "kept"} if field in MANY else {"kept"}) == set(other.groups())
    assert set() == set(models.Group.collection(of="g"))
    check(server)


@every_field
def test_cascade(server: Backend, field: Any) -> None:
    """Whoever refers to a deleted object is deleted with all its keys and entries, and so on; others are not."""
    models = Models(server.database(), field, CASCADE)
    first, second, other = models.persons("abo")
    refer(second.likes, first)
    models.group("of first", first)
    models.group("of second", second)
    models.group("of both", first, second)
    models.group("kept", other)
    first.delete()
    assert ({"o"}, {"kept"}) == (there(server, "person"), there(server, "group"))
    check(server)


@every_field
@pytest.mark.parametrize("how", ["alone", "in a session"])
def test_restrict(server: Backend, field: Any, how: str) -> None:
    """An object that others refer to is not deleted: the error names who refers to it, and nothing changes."""
    models = Models(server.database(), field, RESTRICT)
    gone, other, fan = models.persons("gof")
    models.group("g", gone)
    models.group("kept", other)
    refer(fan.likes, gone)
    before = server.dump()
    with pytest.raises(RestrictedError, match=r"^Person <g> cannot .*on_delete=RESTRICT") as caught:
        gone.delete() if how == "alone" else commit(models, lambda: other.age.hset(31), gone.delete)
    referrers = {("Group", "g", "of"), ("Person", "f", "likes")}
    assert (2, referrers) == (len(caught.value.referrers), set(caught.value.referrers))
    assert "Group <g>.of" in str(caught.value)
    assert "Person <f>.likes" in str(caught.value)
    assert before == server.dump()
    assert models.Person.exists("g")


@every_field
def test_a_refused_deletion_leaves_the_session_usable(server: Backend, field: Any) -> None:
    """What was said is still there after the refusal: with the reference moved, the same session commits."""
    models = Models(server.database(), field, RESTRICT)
    gone, other = models.persons("go")
    group = models.group("g", gone)
    with Session(models.database) as session:
        gone.delete()
        with pytest.raises(RestrictedError):
            session.commit()
        forget(group.of, "g")
        refer(group.of, other)
        session.commit()
    assert ({"o"}, ["o"]) == (there(server, "person"), stored(server, "group", "g", "of"))
    check(server)


@every_field
@pytest.mark.parametrize("order", [1, -1], ids=["released first", "deleted first"])
@pytest.mark.parametrize("way", ["deleted", "cleared", "moved"])
def test_restrict_is_judged_on_the_net_result(server: Backend, field: Any, way: str, order: int) -> None:
    """The deletion is allowed where whoever refers goes, too, or loses or moves its reference in the same session."""
    models = Models(server.database(), field, RESTRICT)
    gone, other = models.persons("go")
    group = models.group("g", gone)

    def release() -> None:
        if way == "deleted":
            group.delete()
            return
        forget(group.of, "g")
        if way == "moved":
            refer(group.of, other)

    commit(models, *[release, gone.delete][::order])
    assert {"o"} == there(server, "person")
    assert ["o"] * (way == "moved") == stored(server, "group", "g", "of")
    check(server)


@pytest.mark.parametrize("field", MANY)
def test_restrict_is_not_lifted_by_what_is_said_of_others(server: Backend, field: Any) -> None:
    """Other references of the same field may come and go: the one that keeps the object is still there."""
    models = Models(server.database(), field, RESTRICT)
    gone, one, two = models.persons("gab")
    group = models.group("g", one, gone)
    before = server.dump()
    for say in (lambda: forget(group.of, one), lambda: refer(group.of, two), lambda: refer(group.of, gone)):
        with pytest.raises(RestrictedError):
            commit(models, say, gone.delete)
        assert before == server.dump()


@every_field
def test_restrict_at_the_end_of_a_cascade(server: Backend, field: Any) -> None:
    """What would be deleted with the object may be restricted, too: then nothing is deleted."""
    society = Society(server.database(), field)
    (gone,) = society.people.persons("g")
    society.part("deeper", of=society.part("part", whole=gone))
    society.pin("pin", part="deeper")
    before = server.dump()
    with pytest.raises(RestrictedError, match=r"^Part <deeper> cannot be deleted: Pin <pin>\.part ") as caught:
        gone.delete()
    assert (("Pin", "pin", "part"),) == caught.value.referrers
    assert before == server.dump()


@every_field
def test_restrict_allows_what_the_cascade_takes_along(server: Backend, field: Any) -> None:
    """Who restricts the deletion and goes with it by another field, here or further on, does not keep it."""
    society = Society(server.database(), field)
    (gone,) = society.people.persons("g")
    part = society.part("part", whole=gone, held_by=gone)
    society.part("deeper", of=part, held_by=gone)
    gone.delete()
    assert {} == server.dump()


@every_field
def test_restrict_meets_references_made_in_the_session(server: Backend, field: Any) -> None:
    """A reference that is pending keeps its object, whether its owner is stored or new."""
    models = Models(server.database(), field, RESTRICT)
    (gone,) = models.persons("g")
    group = models.group("stored")
    before = server.dump()
    with pytest.raises(RestrictedError) as caught:
        commit(models, lambda: refer(group.of, gone), lambda: models.group("new", gone), gone.delete)
    assert {("Group", "stored", "of"), ("Group", "new", "of")} == set(caught.value.referrers)
    assert before == server.dump()


@every_field
@every_rule
@pytest.mark.parametrize("order", [1, -1], ids=["moved first", "deleted first"])
def test_a_reference_moved_in_the_session_is_kept(server: Backend, field: Any, rule: OnDelete, order: int) -> None:
    """The deletion and the move may be said in either order: the new reference is there, the object is not deleted."""
    models = Models(server.database(), field, rule)
    gone, other = models.persons("go")
    group = models.group("g", gone)

    def move() -> None:
        if field in MANY:
            forget(group.of, "g")
        refer(group.of, other)

    commit(models, *[move, gone.delete][::order])
    assert ({"o"}, {"g"}) == (there(server, "person"), there(server, "group"))
    assert ["o"] == stored(server, "group", "g", "of")
    assert ["g"] == list(other.groups())
    check(server)


@pytest.mark.parametrize("field", MANY)
@pytest.mark.parametrize("order", [1, -1], ids=["added first", "deleted first"])
def test_a_reference_added_in_the_session_is_kept(server: Backend, field: Any, order: int) -> None:
    """A field that holds many loses the deleted and keeps what the session adds, in either order."""
    models = Models(server.database(), field)
    gone, other = models.persons("go")
    group = models.group("g", gone)
    commit(models, *[lambda: refer(group.of, other), gone.delete][::order])
    assert ["o"] == stored(server, "group", "g", "of")
    check(server)


@every_field
@pytest.mark.parametrize("rule", [CLEAR, CASCADE], ids=lambda rule: rule.name)
def test_a_reference_made_in_the_session_goes(server: Backend, field: Any, rule: OnDelete) -> None:
    """A reference said before the deletion does not outlive it, whether its owner is stored or new."""
    models = Models(server.database(), field, rule)
    gone, other = models.persons("go")
    group = models.group("stored", other)
    commit(models, lambda: refer(group.of, gone), lambda: models.group("new", gone), gone.delete)
    assert ({"stored", "new"} if rule is CLEAR else set()) == there(server, "group")
    assert ["o"] * (field in MANY and rule is CLEAR) == stored(server, "group", "stored", "of")
    assert [] == stored(server, "group", "new", "of")
    check(server)


@every_field
@every_rule
def test_objects_that_refer_to_each_other_go_together(server: Backend, field: Any, rule: OnDelete) -> None:
    """Deleted in one session, in any order, objects that refer to each other and to themselves leave nothing."""
    models = Models(server.database(), field, rule)
    for order in itertools.permutations("abc"):
        persons = dict(zip("abc", models.persons("abc"), strict=True))
        for name, liked in zip("abc", "bca", strict=True):
            refer(persons[name].likes, persons[name], persons[liked])
        commit(models, *[persons[name].delete for name in order])
        assert {} == server.dump()


@every_field
@pytest.mark.parametrize("ring", ["a", "ab", "abcd"])
def test_cycles_under_cascade(server: Backend, field: Any, ring: str) -> None:
    """Each object of a cycle is deleted once, and nobody beside it."""
    models = Models(server.database(), field, CASCADE)
    persons = models.persons(ring)
    for person, liked in zip(persons, persons[1:] + persons[:1], strict=True):
        refer(person.likes, liked)
        models.group(f"of {person.name.get()}", person)
    (other,) = models.persons("o")
    models.group("kept", other)
    persons[0].delete()
    assert ({"o"}, {"kept"}) == (there(server, "person"), there(server, "group"))
    check(server)


@every_field
@every_rule
def test_deleted_and_created_again(server: Backend, field: Any, rule: OnDelete) -> None:
    """An object that is there again right after the commit keeps whoever refers to it; its own references are new."""
    models = Models(server.database(), field, rule)
    again, other = models.persons("ao")
    models.group("g", again)
    refer(other.likes, again)
    refer(again.likes, other)
    commit(models, again.delete, lambda: models.Person(name="a", age=1))
    assert ({"a", "o"}, {"g"}) == (there(server, "person"), there(server, "group"))
    assert ["a"] == stored(server, "group", "g", "of") == stored(server, "person", "o", "likes")
    assert ([], ["1"]) == (stored(server, "person", "a", "likes"), stored(server, "person", "a", "age"))
    check(server)


@every_field
@pytest.mark.parametrize("rule", [CLEAR, CASCADE], ids=lambda rule: rule.name)
def test_deleted_created_and_deleted_again(server: Backend, field: Any, rule: OnDelete) -> None:
    """What counts is that it is gone in the end."""
    models = Models(server.database(), field, rule)
    (gone,) = models.persons("g")
    models.group("g", gone)
    commit(models, gone.delete, lambda: models.Person(name="g").delete())
    assert set() == there(server, "person")
    assert ({"g"} if rule is CLEAR else set()) == there(server, "group")
    check(server)


def test_a_list_loses_every_occurrence(server: Backend) -> None:
    """A list loses all items that refer to the deleted; the order of the others stays."""
    models = Models(server.database(), M2MListField)
    gone, one, two = models.persons("gab")
    group = models.group("g", gone, one, gone, two, one, gone)
    gone.delete()
    assert ["a", "b", "a"] == stored(server, "group", "g", "of")
    refer(group.of, one)
    commit(models, one.delete, lambda: group.of.lpush("b"))
    assert ["b", "b"] == stored(server, "group", "g", "of")
    check(server)


@every_field
@every_rule
@pytest.mark.parametrize("owner", ["elsewhere", "nowhere", "missing"])
def test_a_stale_index_entry_does_no_harm(server: Backend, field: Any, rule: OnDelete, owner: str) -> None:
    """An entry of an index that a field does not bear out restricts, clears and deletes nothing; it goes."""
    models = Models(server.database(), field, rule)
    gone, other = models.persons("go")
    if owner != "missing":
        models.group("g", *[other] * (owner == "elsewhere"))
    server.client().sadd(":group:of:g", "g")
    gone.delete()
    assert ["o"] * (owner == "elsewhere") == stored(server, "group", "g", "of")
    assert ({"o"}, set() if owner == "missing" else {"g"}) == (there(server, "person"), there(server, "group"))
    check(server)


@pytest.mark.parametrize("field", SINGLE)
def test_a_stale_entry_of_who_is_set_in_the_session(server: Backend, field: Any) -> None:
    """What is pending says what the field will hold, whatever its index says."""
    models = Models(server.database(), field, CASCADE)
    gone, one, two = models.persons("gab")
    group = models.group("g", one)
    server.client().sadd(":group:of:g", "g")
    commit(models, gone.delete, lambda: refer(group.of, two))
    assert ["b"] == stored(server, "group", "g", "of")
    check(server)


@every_field
def test_handles_of_what_was_deleted_with_others(server: Backend, field: Any) -> None:
    """Handles that the session spoke of know that their object is gone; others find out with their first write."""
    models = Models(server.database(), field, CASCADE)
    (gone,) = models.persons("g")
    spoken_of, unmentioned, new = models.group("a", gone), models.group("b", gone), []
    with Session(models.database) as session:
        written = spoken_of.text.set("y")
        new.append(models.group("c", gone))
        gone.delete()
        session.commit()
    assert True is written.result
    assert {} == server.dump()
    for handle in (spoken_of, new[0], gone):
        with pytest.raises(DoesNotExist):
            handle.text.get() if handle is not gone else handle.likes.delete()
    for say in (lambda: unmentioned.note.hset("z"), lambda: unmentioned.tags.sadd("z"), unmentioned.delete):
        with pytest.raises(DoesNotExist):
            say()
    with pytest.raises(DoesNotExist):
        commit(models, lambda: unmentioned.text.set("z"))
    assert {} == server.dump()


@every_field
def test_what_is_deleted_with_others_can_be_deleted_in_the_same_session(server: Backend, field: Any) -> None:
    """To say the deletion of what goes anyway changes nothing; to create it again keeps the new one."""
    models = Models(server.database(), field, CASCADE)
    gone, other = models.persons("go")
    first, second = models.group("a", gone), models.group("b", gone)
    commit(models, first.delete, gone.delete, second.delete, lambda: models.group("b", other))
    assert ({"o"}, {"b"}, ["o"]) == (
        there(server, "person"),
        there(server, "group"),
        stored(server, "group", "b", "of"),
    )
    check(server)


def test_dangling_references_are_left_alone(server: Backend) -> None:
    """Without check a reference to what is not there may be made; it is found when that is created and deleted."""
    models = Models(server.database(), SINGLE[1])
    models.group("g", "later")
    check_whole(
        server.dump(), {"person": {}, "group": {"of": "person", "note": None, "tags": None}}, {":group:of:later": {"g"}}
    )
    models.Person(name="later").delete()
    assert [] == stored(server, "group", "g", "of")
    check(server)


@pytest.mark.parametrize("new", [True, False], ids=["new", "stored"])
def test_what_a_cascade_deletes_claims_no_unique_value(server: Backend, new: bool) -> None:
    """A house is built or renumbered, and goes with its town in the same commit: another may have that number."""
    on = server.database()

    class Town(RelatedModel):
        database = on
        name = InstanceHashField(indexable=True)

    class House(RelatedModel):
        database = on
        number = InstanceHashField(unique=True)
        town = FKInstanceHashField(Town, on_delete=CASCADE)

    def claim() -> None:
        if new:
            House(number="1", town=gone)
        else:
            there.number.hset("1")

    kept = Town(name="kept")
    first = House(number="1", town=kept)
    before = server.dump()
    gone = Town(name="gone")
    there = House(number="2", town=gone)
    with Session(on) as session:
        claim()
        gone.delete()
        session.commit()
    counters = {b":town:max_pk", b":house:max_pk"}
    assert {key for key, _ in before.items() ^ server.dump().items()} == counters
    assert first == House.get(number="1")
    with Session(on, on_pending="discard") as session:
        House(number="1", town=kept)
        with pytest.raises(UniquenessError, match=":house:number:1"):
            session.commit()
