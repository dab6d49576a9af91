"""Two implementations of the ciphertext format, each opening what the other sealed."""

import json
import os
import pathlib
import random
import subprocess

import pytest

import ciphertext_v1 as v1
import server as harness

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", harness.REPOSITORY / "target"))
PROGRAM = TARGET / "debug" / "examples" / "ciphertext_blob"
SEED = 20260101


def cases(long):
    """(material, key id, material id, plaintext, context), seeded."""
    chance = random.Random(SEED)
    letters = "ab\u00e4\u30ad\U0001f511\"\\ /="
    text = lambda most: "".join(chance.choice(letters) for _ in range(chance.randint(0, most)))
    for number in range(20_000 if long else 300):
        context = {text(6): text(6) for _ in range(chance.randint(0, 4))}
        length = chance.choice([1, 16, 31, 32, 33, 4096, chance.randint(1, 4096)])
        yield chance.randbytes(32), chance.randbytes(16), chance.randbytes(32), chance.randbytes(length), context


def run(lines):
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is missing: `cargo build --package keyreeve-crypto --examples` makes it")
    asked = "".join(json.dumps(line) + "\n" for line in lines)
    return subprocess.run([PROGRAM], input=asked, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def test_the_other_implementation_opens_what_ours_sealed(long):
    made = list(cases(long))
    ask = lambda m, k, i, p, c: {"material": m.hex(), "key": k.hex(), "material_id": i.hex(), "plaintext": p.hex(), "context": c}
    answers = run(ask(*case) for case in made)
    assert len(answers) == len(made)
    for (material, key, material_id, plaintext, context), blob in zip(made, answers):
        blob = bytes.fromhex(blob)
        found = v1.parse(blob)
        assert (found.key_id, found.key_material_id) == (key, material_id)
        assert v1.open_sealed(material, blob, context) == plaintext


def test_ours_opens_what_the_other_implementation_sealed_and_nothing_else(long):
    chance, made, asked = random.Random(SEED + 1), list(cases(long)), []
    for material, key, material_id, plaintext, context in made:
        blob = v1.seal(material, key, material_id, plaintext, context, chance.randbytes(16), chance.randbytes(12))
        at = chance.randrange(len(blob))
        forged = blob[:at] + bytes([blob[at] ^ (1 << chance.randrange(8))]) + blob[at + 1 :]
        for tried, under in ((blob, context), (forged, context), (blob, {**context, "more": ""})):
            asked.append({"material": material.hex(), "blob": tried.hex(), "context": under})
    answers = run(asked)
    for number, (_, _, _, plaintext, _) in enumerate(made):
        assert answers[3 * number : 3 * number + 3] == [plaintext.hex(), "refused", "refused"], f"case {number}"
