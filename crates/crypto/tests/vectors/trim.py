"""Cuts Project Wycheproof's files down to what the tests of this crate read.

    python3 trim.py DIRECTORY_OF_WYCHEPROOF_JSON

A group becomes {"key": .., "cases": [..]}; a case is a list that starts with its number in Wycheproof. Where a file would be
large, every n-th case is kept, counted over the whole file, and in each file both results are kept.
"""

import json
import pathlib
import sys

SOURCE = pathlib.Path(sys.argv[1])
HERE = pathlib.Path(__file__).parent


def groups(name):
    return json.loads((SOURCE / f"{name}_test.json").read_text())["testGroups"]


def write(name, files):
    text = json.dumps(files, separators=(",", ":")).replace('{"key"', '\n{"key"') + "\n"
    (HERE / f"{name}.json").write_text(text)


def cut(name, key, case, step=1, keep=lambda group, test: True):
    """The groups of a file, with every `step`-th case."""
    count, kept = 0, []
    for group in groups(name):
        cases = []
        for test in group["tests"]:
            if not keep(group, test) or test["result"] == "acceptable":
                continue
            count += 1
            if count % step == 1 % step:
                cases.append([test["tcId"], *case(test), test["result"] == "valid"])
        if cases:
            kept.append({"key": key(group), "cases": cases})
    return kept


def signature(test):
    return test["msg"], test["sig"]


write("rsa_pkcs1", {
    f"{bits} {sha}": cut(f"rsa_signature_{bits}_sha{sha}", lambda group: group["publicKeyDer"], signature, step)
    for bits, sha, step in [(2048, 256, 2), (3072, 384, 8), (4096, 512, 12)]
})
write("rsa_pss", {
    f"{bits} {sha}": cut(
        f"rsa_pss_{bits}_sha{sha}_mgf1_{sha // 8}", lambda group: group["publicKeyDer"], signature, step)
    for bits, sha, step in [(2048, 256, 2), (2048, 384, 3), (3072, 256, 4), (4096, 512, 4)]
})
write("rsa_oaep", {
    f"{bits} {sha}": cut(
        f"rsa_oaep_{bits}_sha{sha}_mgf1sha{sha}",
        lambda group: group["privateKeyPkcs8"],
        lambda test: (test["msg"], test["ct"]),
        step,
        lambda _, test: test["label"] == "")
    for bits, sha, step in [(2048, 1, 1), (2048, 256, 1), (3072, 256, 2), (4096, 256, 2)]
})
write("ecdsa", {
    curve: cut(f"ecdsa_{curve}_sha{sha}", lambda group: group["publicKeyDer"], signature, step)
    for curve, sha, step in [
        ("secp256r1", 256, 2), ("secp384r1", 384, 2), ("secp521r1", 512, 2), ("secp256k1", 256, 2)]
})
write("ecdh", {
    curve: cut(
        f"ecdh_{curve}",
        lambda group: group["curve"],
        lambda test: (test["public"], test["private"], test["shared"]),
        step)
    for curve, step in [("secp256r1", 2), ("secp384r1", 4), ("secp521r1", 6)]
})
write("ed25519", cut("ed25519", lambda group: group["publicKeyDer"], signature))
write("hmac", {
    size: cut(
        f"hmac_sha{size}",
        lambda group: "",
        lambda test: (test["key"], test["msg"], test["tag"]),
        1,
        lambda group, _: group["keySize"] == size and group["tagSize"] == size)
    for size in [224, 256, 384, 512]
})
write("ml_dsa_verify", {
    size: cut(
        f"mldsa_{size}_verify",
        lambda group: group.get("publicKeyDer") or "",
        signature,
        step,
        lambda group, test: not test.get("ctx") and "publicKeyDer" in group and len(test["msg"]) < 1000)
    for size, step in [(44, 10), (65, 15), (87, 20)]
})
write("ml_dsa_sign", {
    size: cut(
        f"mldsa_{size}_sign_seed",
        lambda group: [group["privateSeed"], group["publicKey"]],
        lambda test: (test.get("msg"), test.get("mu") or "", test["sig"]),
        step,
        lambda group, test: not test.get("ctx") and "publicKey" in group and test["result"] == "valid"
        and len(test.get("msg") or "") < 1000)
    for size, step in [(44, 10), (65, 12), (87, 14)]
})
write("ml_kem_keys", {
    size: cut(f"mlkem_{size}_keygen_seed", lambda group: "", lambda test: (test["seed"], test["ek"]), step)
    for size, step in [(512, 12), (768, 17), (1024, 25)]
})
write("ml_kem", {
    size: cut(f"mlkem_{size}", lambda group: "", lambda test: (test["seed"], test["c"], test.get("K") or ""), step,
        lambda _, test: "seed" in test and "c" in test)
    for size, step in [(512, 10), (768, 14), (1024, 20)]
})
