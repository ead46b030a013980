"""What is done in steps: one driver at a time, and no answer that nobody gave."""

from __future__ import annotations

import copy
import gc
import threading
import unittest
from typing import Any, Callable, Dict, List, Tuple, Union

import touchmark
from test_places import AT, CASES, CHAIN, ENTRY, HONEST, IMAGE, ROOT, VECTORS, Folders
from touchmark import ABSENT, Absent, ChainNeed, ChainNeedKind, Client, Failure, Need, NeedKind, Policy, PrivateKey, PublicKey, Request, Search, Store, SupplyChain, TrustRoot

INDEX = b'{"schemaVersion":2,"manifests":[]}'
REPOSITORY = VECTORS / HONEST["updates"][0]["repository"]
Ask = Callable[[], None]


def file_of(folder: Any, path: str) -> Union[bytes, Absent]:
    file = folder / path
    return bytes(file.read_bytes()) if file.exists() else ABSENT


def metadata() -> Dict[str, bytes]:
    return {"root.json": (VECTORS / HONEST["root"]["file"]).read_bytes()}


def search() -> Search:
    policy = Policy.from_keys([PrivateKey.generate().public_key])
    return Search(Request(policy, touchmark.digest(IMAGE.read_bytes()), AT))


def chain(case: Any = CHAIN) -> SupplyChain:
    keys = [PublicKey.from_file(VECTORS / key["file"]) for key in case["keys"]]
    return SupplyChain((VECTORS / case["layout"]["file"]).read_bytes(), keys, AT, parameters=case.get("parameters"))


class Place(Store):
    """An image that nobody signed. ``ask`` is called first."""

    def __init__(self, ask: Ask = lambda: None) -> None:
        self.ask = ask

    def manifest(self, digest: str, limit: int) -> bytes:
        self.ask()
        return bytes(IMAGE.read_bytes())

    def blob(self, digest: str, limit: int) -> Absent:
        return ABSENT

    def referrers(self, need: Need) -> Tuple[bytes, bool, bool]:
        return INDEX, True, False


def drive_client(client: Client, ask: Ask) -> None:
    def fetch(path: str, limit: int) -> Union[bytes, Absent]:
        ask()
        return file_of(REPOSITORY, path)

    client.drive(fetch, metadata())


def drive_search(search: Search, ask: Ask) -> None:
    try:
        search.run(Place(ask))
    except touchmark.Unsigned:
        return
    raise AssertionError("nobody signed it")


def drive_chain(chain: SupplyChain, ask: Ask) -> None:
    def file(path: str, limit: int) -> Union[bytes, Absent]:
        ask()
        return file_of(VECTORS / CHAIN["links"], path)

    chain.run(file, lambda folder, step: [])


# How each is made and driven, and all that may be done with it.
KINDS: List[Tuple[Callable[[], Any], Callable[[Any, Ask], None], Dict[str, Callable[[Any], Any]]]] = [
    (
        lambda: Client(AT),
        drive_client,
        {
            "drive": lambda it: it.drive(lambda path, limit: ABSENT, metadata()),
            "next": lambda it: it.next(),
            "provide_bytes": lambda it: it.provide_bytes(b"{}"),
            "provide_absent": lambda it: it.provide_absent(),
            "provide_done": lambda it: it.provide_done(),
            "provide_failure": lambda it: it.provide_failure(Failure.UNAVAILABLE),
            "look_up": lambda it: it.look_up("file"),
            "found": lambda it: it.found(),
            "standing": lambda it: it.standing("acme/x"),
            "state": lambda it: it.state,
        },
    ),
    (
        search,
        drive_search,
        {
            "run": lambda it: it.run(Place()),
            "next": lambda it: it.next(),
            "provide_bytes": lambda it: it.provide_bytes(b"{}"),
            "provide_hash": lambda it: it.provide_hash("sha256:0", 0),
            "provide_referrers": lambda it: it.provide_referrers(INDEX, complete=True),
            "provide_failure": lambda it: it.provide_failure(Failure.UNAVAILABLE),
            "finish": lambda it: it.finish(),
        },
    ),
    (
        chain,
        drive_chain,
        {
            "run": lambda it: it.run(lambda path, limit: ABSENT, lambda folder, step: []),
            "next": lambda it: it.next(),
            "provide_bytes": lambda it: it.provide_bytes(b"{}"),
            "provide_absent": lambda it: it.provide_absent(),
            "provide_names": lambda it: it.provide_names([], complete=True),
            "provide_failure": lambda it: it.provide_failure(Failure.UNAVAILABLE),
            "finish": lambda it: it.finish(),
        },
    ),
]


class Drivers(unittest.TestCase):
    def refused(self, it: Any, all_of_it: Dict[str, Callable[[Any], Any]]) -> None:
        for handle in (it, copy.copy(it)):
            for name, work in all_of_it.items():
                with self.subTest(type(it).__name__, step=name), self.assertRaisesRegex(touchmark.WrongState, "is being used"):
                    work(handle)

    def test_every_method_is_tried(self) -> None:
        for make, _, all_of_it in KINDS:
            public = {name for name in vars(type(make())) if not name.startswith("_")}
            self.assertEqual(set(all_of_it), public)

    def test_a_driver_in_another_thread_has_the_handle_until_it_ends(self) -> None:
        for make, drive, all_of_it in KINDS:
            it, asked, go_on = make(), threading.Event(), threading.Event()
            failed: List[BaseException] = []

            def ask(asked: threading.Event = asked, go_on: threading.Event = go_on) -> None:
                asked.set()
                go_on.wait()

            def work(it: Any = it, drive: Any = drive, ask: Ask = ask, failed: List[BaseException] = failed, asked: threading.Event = asked) -> None:
                try:
                    drive(it, ask)
                except BaseException as error:
                    failed.append(error)
                finally:
                    asked.set()

            thread = threading.Thread(target=work)
            thread.start()
            try:
                asked.wait()
                self.refused(it, all_of_it)
            finally:
                go_on.set()
                thread.join()
            self.assertEqual(failed, [])
            # It is free again: what is refused now is refused by the library.
            with self.assertRaises(touchmark.WrongState) as raised:
                it.provide_failure(Failure.UNAVAILABLE)
            self.assertNotIn("is being used", str(raised.exception))

    def test_a_function_must_not_use_what_asks_it(self) -> None:
        for make, drive, all_of_it in KINDS:
            it = make()
            drive(it, lambda it=it, all_of_it=all_of_it: self.refused(it, all_of_it))  # type: ignore[misc]

    def test_a_driver_that_failed_leaves_the_handle_to_the_next(self) -> None:
        for make, drive, _ in KINDS:
            it = make()
            with self.assertRaises(ZeroDivisionError):
                drive(it, divides)
            drive(it, lambda: None)

    def test_closing_takes_nothing_from_a_driver(self) -> None:
        for make, drive, all_of_it in KINDS:
            it = make()
            drive(it, it.close)
            for name, work in all_of_it.items():
                with self.subTest(type(it).__name__, step=name), self.assertRaisesRegex(ValueError, "is closed"):
                    work(it)

    def test_nobody_drives_while_a_step_is_taken(self) -> None:
        it, refused = chain(), []

        def names() -> Any:
            with self.assertRaisesRegex(touchmark.WrongState, "is being used") as raised:
                drive_chain(it, lambda: None)
            refused.append(raised.exception)
            yield "a name"

        with self.assertRaises(touchmark.WrongState):
            it.provide_names(names(), complete=True)  # a file is needed, and no names
        self.assertEqual(len(refused), 1)
        drive_chain(it, lambda: None)


def divides() -> None:
    1 // 0


def forgets(*_: Any) -> Any:
    """Has no answer."""


class Answers(Folders):
    def no_answer(self) -> Any:
        return self.assertRaisesRegex(TypeError, "None is no answer; touchmark.ABSENT")

    def test_who_forgot_to_answer_has_not_said_that_there_is_none(self) -> None:
        with self.no_answer():
            Client(AT).drive(forgets, metadata())
        with self.no_answer():
            TrustRoot(ROOT.read_bytes(), forgets, self.folder / "store", AT)
        with self.no_answer():
            chain().run(forgets, lambda folder, step: [])

    def test_nor_where_the_store_would_do(self) -> None:
        folder, root = VECTORS / ENTRY["repository"], ROOT.read_bytes()
        with TrustRoot(root, lambda path, limit: file_of(folder, path), self.folder / "store", AT):
            pass

        def unreachable(path: str, limit: int) -> bytes:
            raise ConnectionError("nobody answers")

        # The store is locked by whoever has not been given back, which may not have to wait for the garbage collector.
        gc.disable()
        self.addCleanup(gc.enable)
        with TrustRoot(root, unreachable, self.folder / "store", AT):
            pass
        try:
            TrustRoot(root, forgets, self.folder / "store", AT)
            self.fail("it was opened")
        except TypeError as error:
            self.assertIn("None is no answer", str(error))
            with TrustRoot(root, unreachable, self.folder / "store", AT):
                pass

    def test_a_target_that_nobody_answered_for(self) -> None:
        root, at = (VECTORS / HONEST["root"]["file"]).read_bytes(), AT
        trust = TrustRoot(root, lambda path, limit: file_of(REPOSITORY, path), self.folder / "store", at, fetch_target=forgets)
        with self.no_answer():
            trust.target("file")

    def test_a_store_of_metadata_that_gives_nothing(self) -> None:
        class Forgets(Dict[str, bytes]):
            def get(self, name: str, default: Any = None) -> Any:
                return super().get(name)

        with self.no_answer():
            Client(AT).drive(lambda path, limit: file_of(REPOSITORY, path), Forgets(metadata()))

    def test_a_store_of_artifacts(self) -> None:
        for kind in (NeedKind.MANIFEST, NeedKind.REFERRERS, NeedKind.BLOB, NeedKind.HASH):

            class Forgets(Place):
                pass

            setattr(Forgets, kind.name.lower(), forgets)
            with self.subTest(kind.name), self.no_answer():
                search()._provide(Forgets(), Need(kind, touchmark.digest(b""), 100, 100, False))

        class ForgetsBlobs(Place):
            blob: Any = forgets

        with self.no_answer():
            search()._provide(ForgetsBlobs(), Need(NeedKind.HASH, touchmark.digest(b""), 100, 100, False))

    def test_names_and_inspections(self) -> None:
        case = CASES["supply-chain-golang-inspection"]
        with self.no_answer():
            chain(case).run(lambda path, limit: file_of(VECTORS / case["links"], path), lambda folder, step: [], forgets)

        class AsksForNames(SupplyChain):
            def next(self) -> ChainNeed:
                return ChainNeed(ChainNeedKind.NAMES, "", "build", 100)

        with self.no_answer():
            AsksForNames((VECTORS / case["layout"]["file"]).read_bytes(), [PrivateKey.generate().public_key], AT).run(forgets, forgets)

    def test_what_is_no_bytes_ends_the_call(self) -> None:
        answer: Any
        for answer in ("text", 5, [], {}):
            with self.assertRaises(TypeError):
                Client(AT).drive(lambda path, limit, answer=answer: answer, metadata())  # type: ignore[misc]
