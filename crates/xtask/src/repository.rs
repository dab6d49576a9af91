//! The files of the repository and where things are built.
//!
//! Files are found by walking the tree, not by asking git: a source archive and a checkout of another user's are checked
//! alike. Directories that hold no sources are left out by name, as `.gitignore` has them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{Failure, Program};

const NOT_SOURCES: [&str; 10] = [
    ".git",
    ".pytest_cache",
    ".venv",
    "__pycache__",
    "artifacts",
    "corpus",
    "coverage",
    "keyreeve-data",
    "node_modules",
    "target",
];

/// The repository that xtask is run in.
pub(crate) struct Repository {
    /// Its root directory.
    pub(crate) root: PathBuf,
    /// Where cargo builds, `CARGO_TARGET_DIR` respected.
    pub(crate) target: PathBuf,
    /// What `cargo metadata --no-deps` says.
    pub(crate) metadata: Value,
}

/// A file that can be read as text.
pub(crate) struct TextFile {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// What stands in it.
    pub(crate) text: String,
}

impl Repository {
    pub(crate) fn find() -> Result<Self, Failure> {
        // Not the directory that xtask was compiled in: a target directory may be shared by two checkouts.
        let here = Path::new(".");
        let failed = |why: &str| Failure {
            part: "metadata",
            why: why.to_owned(),
            alone: "cargo metadata --format-version 1 --no-deps".to_owned(),
        };
        let metadata = Program::new("cargo", here).args("metadata --format-version 1 --no-deps").output();
        let metadata = metadata.ok_or_else(|| failed("cargo metadata failed"))?;
        let metadata: Value = serde_json::from_str(&metadata).map_err(|error| failed(&error.to_string()))?;
        let path_at = |key: &str| metadata.get(key).and_then(Value::as_str).map(PathBuf::from);
        match (path_at("workspace_root"), path_at("target_directory")) {
            (Some(root), Some(target)) => Ok(Self { root, target, metadata }),
            _ => Err(failed("cargo metadata names no workspace_root or no target_directory")),
        }
    }

    /// A release binary of the workspace.
    pub(crate) fn release_binary(&self, name: &str) -> PathBuf {
        self.target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Every file of the tree that is text, in the order of their paths.
    pub(crate) fn text_files(&self) -> Vec<TextFile> {
        let mut files = Vec::new();
        let mut directories = vec![self.root.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
                if kind.is_dir() && !is_left_out(&entry.file_name().to_string_lossy()) {
                    directories.push(path);
                } else if kind.is_file()
                    && let (Ok(text), Ok(relative)) =
                        (fs::read_to_string(&path), path.strip_prefix(&self.root))
                {
                    let path = relative.to_string_lossy().replace('\\', "/");
                    files.push(TextFile { path, text });
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }
}

/// Whether a directory of this name holds no sources.
pub(crate) fn is_left_out(name: &str) -> bool {
    NOT_SOURCES.contains(&name)
}
