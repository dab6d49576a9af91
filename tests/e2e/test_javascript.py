"""The AWS SDK for JavaScript, version 3."""

import subprocess

import pytest


@pytest.mark.xdist_group("javascript")
def test_the_javascript_sdk_walks_through_the_life_of_a_key(server, javascript):
    result = subprocess.run(
        ["node", "walkthrough.mjs"],
        cwd=javascript,
        env=server.environment_of_clients(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "all of it holds"
