"""The life of keys goes on where it was when the process dies: imports, rotations, replicas, primary keys that move, deletions."""

import concurrent.futures
import contextlib
import random
import subprocess
import threading

import botocore.exceptions
import server as harness
from server import wait_until
from test_crash import GONE, SEED
from test_dev_mode import DevServer
from test_import import import_into

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
WORKERS = 3
# Ciphertexts of before that are looked at after each end of the process; all are at the end.
SAMPLE = 40


def together(server):
    """The store holds together: every record opens, every index agrees."""
    checked = subprocess.run(
        [harness.binary(), "check", "--data-dir", server.data_dir], capture_output=True, text=True, timeout=60
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


class Life:
    """One key, and what was acknowledged of it; `pending` is the change that was asked for and not answered."""

    def __init__(self, choose):
        self.random = choose
        self.id = None
        self.pending = None
        self.ciphertexts, self.seen = [], 0

    def run(self, clients):
        """Until the server is gone."""
        with contextlib.suppress(*GONE):
            while True:
                self.step(clients)

    def change(self, what, call, **request):
        self.pending = what
        answer = call(**request)
        self.pending = None
        return answer

    def encrypt(self, kms):
        plaintext = self.random.randbytes(16)
        blob = kms.encrypt(KeyId=self.id, Plaintext=plaintext)["CiphertextBlob"]
        self.ciphertexts.append((blob, plaintext))

    def decrypts(self, clients, everything):
        """What is new since the last look opens, and some of what was there before."""
        before, new = self.ciphertexts[: self.seen], self.ciphertexts[self.seen :]
        sample = before if everything else self.random.sample(before, min(SAMPLE, len(before)))
        for kms in clients:
            for blob, plaintext in sample + new:
                assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext
        self.seen = len(self.ciphertexts)


class Imported(Life):
    """A key of imported material, of which some is missing now and then."""

    def __init__(self, choose):
        super().__init__(choose)
        # In the order of their rotations; the last may be pending its own.
        self.materials, self.rotated, self.is_present = [], 0, False

    def step(self, clients):
        kms = clients[0]
        if self.id is None:
            self.id = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
            return
        if not self.materials:
            material = self.random.randbytes(32)
            self.change(("import", material), lambda: import_into(kms, self.id, material))
            self.materials, self.rotated, self.is_present = [material], 1, True
            return
        if not self.is_present:
            self.bring_back(kms)
            return
        # The 25 rotations on demand are not used up.
        actions = [self.encrypt, self.encrypt, self.remove] + ([self.rotate] if self.rotated < 12 else [])
        self.random.choice(actions)(kms)

    def rotate(self, kms):
        if len(self.materials) == self.rotated:
            material = self.random.randbytes(32)
            self.change(("next", material), lambda: import_into(kms, self.id, material, ImportType="NEW_KEY_MATERIAL"))
            self.materials.append(material)
        self.change(("rotate", None), kms.rotate_key_on_demand, KeyId=self.id)
        self.rotated += 1

    def remove(self, kms):
        self.change(("remove", None), kms.delete_imported_key_material, KeyId=self.id)
        self.is_present = False

    def bring_back(self, kms):
        """Imports what is missing; what is there already may come once more."""
        for material in self.materials[: self.rotated]:
            self.change(("again", None), lambda material=material: import_into(kms, self.id, material))
        self.is_present = True

    def check(self, clients, everything=False):
        kms = clients[0]
        if self.id is None:
            return
        found = kms.describe_key(KeyId=self.id)["KeyMetadata"]
        listed = [
            rotation
            for page in kms.get_paginator("list_key_rotations").paginate(KeyId=self.id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
            for rotation in page["Rotations"]
        ]
        known = sum(rotation["KeyMaterialState"] != "PENDING_ROTATION" for rotation in listed)
        waiting = len(listed) - known
        what, material = self.pending or (None, None)
        told = f"{self.id} {self.pending} {self.rotated} of {len(self.materials)}: {listed}"
        if what == "import":
            assert known in (0, 1), told
            if known:
                self.materials, self.rotated, self.is_present = [material], 1, True
        elif what == "next":
            assert (known, waiting) in ((self.rotated, 0), (self.rotated, 1)), told
            self.materials += [material] * waiting
        elif what == "rotate":
            assert (known, waiting) in ((self.rotated, 1), (self.rotated + 1, 0)), told
            self.rotated = known
        else:
            assert (known, waiting) == (self.rotated, len(self.materials) - self.rotated), told
        if what in ("remove", "again"):
            self.is_present = found["KeyState"] == "Enabled"
        assert found["KeyState"] == ("Enabled" if self.is_present else "PendingImport"), told
        self.pending = None
        if self.materials and not self.is_present:
            self.bring_back(kms)
        self.decrypts([kms], everything)


class Related(Life):
    """A multi-Region key: its replica keys come, its primary key moves and rotates."""

    def __init__(self, choose):
        super().__init__(choose)
        self.primary, self.regions, self.rotations = 0, {0}, 0

    def step(self, clients):
        if self.id is None:
            self.id = clients[0].create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
            return
        primary = clients[self.primary]
        match self.random.choice(["encrypt", "encrypt", "replicate", "move", "rotate"]):
            case "encrypt":
                self.encrypt(clients[self.random.choice(sorted(self.regions))])
            case "replicate" if free := sorted(set(range(len(REGIONS))) - self.regions):
                to = self.random.choice(free)
                self.change(("replicate", to), primary.replicate_key, KeyId=self.id, ReplicaRegion=REGIONS[to])
                self.regions.add(to)
            case "move" if others := sorted(self.regions - {self.primary}):
                to = self.random.choice(others)
                self.change(("move", to), primary.update_primary_region, KeyId=self.id, PrimaryRegion=REGIONS[to])
                self.primary = to
            case "rotate" if self.rotations < 12:
                self.change(("rotate", None), primary.rotate_key_on_demand, KeyId=self.id)
                self.rotations += 1

    def check(self, clients, everything=False):
        if self.id is None:
            return

        def shown(region):
            try:
                return clients[region].describe_key(KeyId=self.id)["KeyMetadata"]
            except botocore.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == "NotFoundException"
                return None

        def settled():
            return all(found is None or found["KeyState"] == "Enabled" for found in map(shown, range(len(REGIONS))))

        wait_until(settled, "no key is still updating")
        what, to = self.pending or (None, None)
        found = {region: metadata for region in range(len(REGIONS)) if (metadata := shown(region))}
        told = f"{self.id} {self.pending} {self.primary} {self.regions}: {found}"
        assert set(found) in ((self.regions, self.regions | {to}) if what == "replicate" else (self.regions,)), told
        seen = {str(metadata["MultiRegionConfiguration"]["PrimaryKey"]) for metadata in found.values()}
        replicas = {
            str(sorted(replica["Region"] for replica in metadata["MultiRegionConfiguration"]["ReplicaKeys"]))
            for metadata in found.values()
        }
        types = [metadata["MultiRegionConfiguration"]["MultiRegionKeyType"] for metadata in found.values()]
        assert len(seen) == 1 and len(replicas) == 1 and types.count("PRIMARY") == 1, told
        primary = next(
            region for region, one in found.items() if one["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
        )
        assert primary in ((self.primary, to) if what == "move" else (self.primary,)), told
        self.primary, self.regions = primary, set(found)
        pages = clients[primary].get_paginator("list_key_rotations").paginate(KeyId=self.id)
        rotations = sum(len(page["Rotations"]) for page in pages)
        assert rotations - self.rotations in ((0, 1) if what == "rotate" else (0,)), told
        self.rotations, self.pending = rotations, None
        self.decrypts([clients[region] for region in self.regions], everything)


def test_imports_rotations_and_related_keys_survive_kills(fresh_server, long):
    print(f"KEYREEVE_TEST_SEED={SEED}")
    choose, pause = random.Random(SEED), threading.Event()
    lives = [kind(random.Random(SEED + number)) for number in range(WORKERS) for kind in (Imported, Related)]
    for _ in range(60 if long else 6):
        fresh_server.start()
        clients = [fresh_server.client(region, max_pool_connections=len(lives)) for region in REGIONS]
        for life in lives:
            life.check(clients)
        with concurrent.futures.ThreadPoolExecutor(len(lives)) as pool:
            running = [pool.submit(life.run, clients) for life in lives]
            pause.wait(choose.uniform(0.2, 1.0))
            fresh_server.kill()
            for future in running:
                future.result(timeout=60)
        together(fresh_server)
    fresh_server.start()
    clients = [fresh_server.client(region) for region in REGIONS]
    for life in lives:
        life.check(clients, everything=True)
    assert any(life.ciphertexts for life in lives)


def test_deletions_that_fall_due_survive_kills(tmp_path, long):
    print(f"KEYREEVE_TEST_SEED={SEED}")
    choose, pause = random.Random(SEED), threading.Event()
    server = DevServer(tmp_path / "data", in_memory=False)
    try:
        server.start()
        kept, doomed = [], []
        for _ in range(60 if long else 6):
            kms = server.client()
            for number in range(12):
                key = kms.create_key()["KeyMetadata"]["KeyId"]
                kms.create_alias(AliasName=f"alias/{key}", TargetKeyId=key)
                blob = kms.encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
                (kept if number % 3 == 0 else doomed).append((key, blob))
                if number % 3:
                    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
            # The clock stops at what is due and does it; the process dies meanwhile.
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                moving = pool.submit(lambda: server.advance(8 * 86_400))
                pause.wait(choose.uniform(0.0, 0.03))
                server.kill()
                moving.exception(timeout=60)
            together(server)
            server.start()
        server.advance(8 * 86_400)
        kms = server.client()
        for key, blob in doomed:
            for request in ({"KeyId": key}, {"KeyId": f"alias/{key}"}):
                try:
                    kms.describe_key(**request)
                except botocore.exceptions.ClientError as error:
                    assert error.response["Error"]["Code"] == "NotFoundException"
                else:
                    raise AssertionError(f"{request} is still there")
            try:
                kms.decrypt(CiphertextBlob=blob)
            except botocore.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == "AccessDeniedException"
            else:
                raise AssertionError(f"{key} still decrypts")
        for key, blob in kept:
            assert kms.describe_key(KeyId=f"alias/{key}")["KeyMetadata"]["KeyState"] == "Enabled"
            assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
    finally:
        server.kill()
    together(server)
