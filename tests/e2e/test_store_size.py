"""The file of the store: as large as what it holds, however often that is written."""

from concurrent.futures import ThreadPoolExecutor


def test_a_store_that_is_written_again_and_again_does_not_grow(fresh_server):
    server = fresh_server.start()
    kms = server.client()
    store = server.data_dir / "store.redb"
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(20)]

    def write(number):
        kms.update_key_description(KeyId=keys[number % len(keys)], Description=f"change {number}")

    def write_all(numbers):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, numbers))
        return store.stat().st_size

    before = write_all(range(200))
    after = write_all(range(200, 2000))
    # A page that nobody reads any more is used again: 1,800 changes of some 30 KiB each would be 50 MiB.
    assert after <= max(2 * before, 4 << 20), (before, after)
