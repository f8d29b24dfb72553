#!/usr/bin/env python3
"""Checks a bag of evidence: run it in the bag's folder. It needs Python 3 alone; read it, it is one page.

Each order's manifest names the order's files by SHA-256. The manifest itself is a leaf of a hash tree (RFC 6962), whose
root stands in a signed checkpoint. This program checks all of that, and prints the keys that came with the bag; whether
the checkpoints are signed with them, and when they were there, openssl tells (README.md)."""
import sys

if not sys.flags.isolated:
    del sys.path[0]  # this folder: no module is to come out of the bag
import base64, hashlib, json, os, re

# All that may be in data/. The steps of the README come by every checkpoint that has its place here, and by no other.
PLACE = re.compile(r"data/(orders/[0-9A-Za-z]{1,32}/[0-9a-z.]+|seals/[0-9]{8}T[0-9]{6}Z/(checkpoint|checkpoint\.tsr|key\.pem)|keys/tsa-ca\.pem)")
KEY = re.compile(rb"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA([0-9A-Za-z+/]{43}=)\n-----END PUBLIC KEY-----\n")  # Ed25519, RFC 8410


def sha256(data):
    return hashlib.sha256(data).digest()


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


def shown(text):
    return ascii(text)[1:-1]  # a name may hold what a terminal obeys


def need(good, why):
    if not good:
        sys.exit("NOT GOOD: " + shown(why))


def root(leaf, index, size, path):
    """The root of the tree that this leaf is in (RFC 9162 section 2.1.3.2)."""
    need(0 <= index < size, "a proof of a leaf outside the tree")
    fn, sn, r = index, size - 1, sha256(b"\x00" + leaf)
    for p in path:
        need(sn > 0, "a proof that is too long")
        if fn & 1 or fn == sn:
            r = sha256(b"\x01" + p + r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01" + r + p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "a proof that is too short")
    return r


def check_file(folder, order, f):
    """A file that was archived encrypted is here as it was stored (its name ends in .age), or decrypted, or both."""
    forms = {f["name"]: f.get("stored", f)}
    if "stored" in f:
        forms[f["name"].removesuffix(".age")] = f
    there = {name for name in forms if os.path.exists(os.path.join(folder, os.path.basename(name)))}
    need(there, f["name"] + " of " + order + " is not there")
    for name in there:
        data, want = read(folder, os.path.basename(name)), forms[name]
        need(len(data) == want["size"] and hashlib.sha256(data).hexdigest() == want["sha256"], name + " of " + order + " is not what the manifest says")
    return there


def check_manifest(folder, order, name):
    data = read(folder, name)
    manifest, proof = json.loads(data), json.loads(read(folder, name + ".proof"))
    need(manifest["orderNo"] == order, name + " is about another order than " + order)
    need(proof["leaf"].split(" ")[:2] == [order, hashlib.sha256(data).hexdigest()], "the proof of " + order + " is of another manifest")
    seal = os.path.join("data", "seals", os.path.basename(proof["seal"]))
    lines = read(seal, "checkpoint").decode().split("\n")
    need(lines[4].split(" ")[1] == proof["seal"], "the checkpoint of " + seal + " is of another window")
    need(int(lines[1]) == proof["size"], "the proof of " + order + " is of another tree")
    got = root(proof["leaf"].encode(), proof["index"], proof["size"], [bytes.fromhex(p) for p in proof["path"]])
    need(got == base64.b64decode(lines[2]), "the manifest of " + order + " is not in the sealed tree")
    need("timestamp wanted" not in lines or os.path.exists(os.path.join(seal, "checkpoint.tsr")), "the timestamp of " + seal + " is not there")
    known = {name, name + ".proof"}
    for f in manifest["files"]:
        known |= check_file(folder, order, f)
    print(shown(f"order {order}: {name} and {len(manifest['files'])} files are as they were sealed in the window {lines[4].split(' ', 1)[1]}"))
    return known


there = set()
for folder, folders, files in os.walk("data"):
    for name in folders + files:
        path = os.path.join(folder, name)
        need(not os.path.islink(path) and (name in folders or os.path.isfile(path)), path + " is no file of its own")
        need(name in folders or PLACE.fullmatch(path), path + " is nothing that a bag of evidence has")
    there |= {os.path.join(folder, name) for name in files}
listed = {line.split("  ", 1)[1] for line in read("manifest-sha256.txt").decode().split("\n") if line}
need(listed == there, "the bag holds other files than its list says")
for seal in sorted(os.listdir("data/seals")):
    key = KEY.fullmatch(read("data", "seals", seal, "key.pem"))
    need(key, "the key of " + seal + " is not as it should be")
    print("seal", shown(seal), "came with the key", base64.b64encode(b"\x01" + base64.b64decode(key[1])).decode())
orders = sorted(os.listdir("data/orders"))
need(orders, "there is no order in the bag")
for order in orders:
    folder = os.path.join("data", "orders", order)
    names = set(os.listdir(folder))
    known = set()
    for name in sorted(n for n in names if n.startswith("manifest.") and n.endswith(".json")):
        known |= check_manifest(folder, order, name)
    need(known and names == known, order + " has files that no sealed manifest names: " + " ".join(sorted(names - known)))
print("GOOD")
