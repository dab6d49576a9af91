#!/bin/sh
# A documentation test marked `compile_fail,E0599` must fail with that error, not with any: rustdoc compares the codes
# only where unstable features may be used.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
