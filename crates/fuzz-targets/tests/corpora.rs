//! The targets of the fuzzer, without the fuzzer: over their committed corpora, and over random bytes.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use keyreeve_fuzz_targets::TARGETS;
use proptest::prelude::*;

/// What one corpus, and all of them, may weigh.
const FILES_MOST: usize = 100;
const CORPUS_MOST: u64 = 200 * 1024;
const ALL_MOST: u64 = 2 * 1024 * 1024;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(fuzz().join("corpus").join(target)).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The names of what stands in a directory, without an extension.
fn stems(directory: &Path) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    fs::read_dir(directory).unwrap().map(|entry| stem(entry.unwrap().path())).collect()
}

#[test]
fn every_target_has_a_binary_a_manifest_entry_and_a_corpus() {
    let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names.len(), TARGETS.len(), "two targets have one name");
    assert_eq!(stems(&fuzz().join("fuzz_targets")), names);
    assert_eq!(stems(&fuzz().join("corpus")), names);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let source = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(
            source.contains(&format!("keyreeve_fuzz_targets::{name}(data)")),
            "{name} runs another target"
        );
    }
}

#[test]
fn every_corpus_is_small() {
    let len = |path: &PathBuf| fs::metadata(path).unwrap().len();
    let mut all = 0;
    for target in TARGETS {
        let files = corpus(target.name);
        let bytes: u64 = files.iter().map(len).sum();
        assert!((1..=FILES_MOST).contains(&files.len()), "{}: {} files", target.name, files.len());
        assert!(bytes <= CORPUS_MOST, "{}: {bytes} bytes", target.name);
        all += bytes;
    }
    assert!(all <= ALL_MOST, "{all} bytes");
}

#[test]
fn no_file_of_a_corpus_is_a_finding() {
    for target in TARGETS {
        for file in corpus(target.name) {
            println!("{}", file.display());
            (target.run)(&fs::read(&file).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(4), max_shrink_iters: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_random_sequence_of_calls_is_a_finding(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        keyreeve_fuzz_targets::api_calls(&bytes);
    }

    #[test]
    fn no_random_bytes_are_a_finding(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for target in TARGETS.iter().filter(|target| target.name != "api_calls") {
            (target.run)(&bytes);
        }
    }
}
