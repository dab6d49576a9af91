#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyreeve_fuzz_targets::json_input(data));
