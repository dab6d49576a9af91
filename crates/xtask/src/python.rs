//! The Python environment of the end-to-end tests, `.venv` at the root of the repository.
//!
//! INVARIANT: where the stamp in `.venv` names this directory and has the text of `tests/e2e/requirements.txt`, exactly these
//! packages were installed, here: it is written last, and the environment is made anew when either differs. The scripts of
//! an environment name its directory, so that one that was moved is broken.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::process::{Failure, Program, heading};
use crate::repository::Repository;

const PART: &str = "venv";
const REQUIREMENTS: &str = "tests/e2e/requirements.txt";
/// The first botocore whose model of KMS is the one that we follow.
const OLDEST_BOTOCORE: [u64; 3] = [1, 44, 5];

/// A program of the environment.
pub(crate) fn program(repository: &Repository, name: &str) -> PathBuf {
    repository.root.join(".venv/bin").join(name)
}

/// Makes the environment where it is missing, broken or of other requirements.
pub(crate) fn prepare(repository: &Repository) -> Result<(), Failure> {
    let root = &repository.root;
    let stamp = root.join(".venv/.requirements.txt");
    let requirements = fs::read_to_string(root.join(REQUIREMENTS))
        .map_err(|error| failure(&format!("{REQUIREMENTS}: {error}")))?;
    let wanted = format!("# {}\n{requirements}", root.display());
    let works = Program::new(program(repository, "python"), root).arg("-c").arg("").output().is_some();
    if works && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    heading("venv");
    require_venv_module(root)?;
    Program::new("python3", root).args("-m venv --clear .venv").run(PART)?;
    let pip = Program::new(program(repository, "python"), root).env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    pip.args("-m pip install --quiet --no-input -r").arg(REQUIREMENTS).run(PART)?;
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).open(&stamp);
    file.and_then(|mut file| file.write_all(wanted.as_bytes()))
        .map_err(|error| failure(&format!("{}: {error}", stamp.display())))
}

/// The directory of the service models in the botocore of the environment.
pub(crate) fn service_models(repository: &Repository) -> Result<PathBuf, String> {
    let oldest = OLDEST_BOTOCORE.map(|part| part.to_string()).join(".");
    let remedy = format!(
        "put botocore>={oldest} into {REQUIREMENTS} and remove .venv, or run `cargo xtask parity PATH`"
    );
    let library = repository.root.join(".venv/lib");
    let packages = children(&library).into_iter().map(|python| python.join("site-packages"));
    let found =
        packages.flat_map(|packages| children(&packages)).find_map(|path| Some((version(&path)?, path)));
    let (version, information) = found.ok_or_else(|| format!("no botocore in .venv: {remedy}"))?;
    if version < OLDEST_BOTOCORE.to_vec() {
        return Err(format!("{} is older than {oldest}: {remedy}", information.display()));
    }
    let data = information.with_file_name("botocore").join("data");
    if data.is_dir() { Ok(data) } else { Err(format!("botocore in .venv has no data: {remedy}")) }
}

/// The version of botocore, by the name of its `.dist-info` directory.
fn version(information: &Path) -> Option<Vec<u64>> {
    let name = information.file_name()?.to_str()?;
    let version = name.strip_prefix("botocore-")?.strip_suffix(".dist-info")?;
    version.split('.').map(|part| part.parse().ok()).collect()
}

fn children(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Fails where `python3 -m venv` could not work; as root on a Debian, installs what is missing after saying so.
fn require_venv_module(root: &Path) -> Result<(), Failure> {
    let has_module =
        || Program::new("python3", root).arg("-c").arg("import ensurepip, venv").output().is_some();
    if has_module() {
        return Ok(());
    }
    let package =
        "the Python module `venv` is missing (Debian and Ubuntu: the packages python3 and python3-venv)";
    let is_root = Program::new("id", root).arg("-u").output().is_some_and(|user| user == "0");
    let has_apt = Program::new("apt-get", root).arg("--version").output().is_some();
    if !(is_root && has_apt) {
        return Err(failure(&format!("{package}; install it and try again")));
    }
    println!("{package}; installing them now, as root, with apt-get");
    Program::new("apt-get", root).args("update --quiet").run(PART)?;
    let apt = Program::new("apt-get", root).env("DEBIAN_FRONTEND", "noninteractive");
    apt.args("install --quiet --yes python3 python3-venv").run(PART)?;
    if has_module() { Ok(()) } else { Err(failure(&format!("{package} even now"))) }
}

fn failure(why: &str) -> Failure {
    let alone = format!("python3 -m venv --clear .venv && .venv/bin/pip install -r {REQUIREMENTS}");
    Failure { part: PART, why: why.to_owned(), alone }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_botocore_is_in_the_name_of_its_information() {
        for (name, expected) in [
            ("lib/botocore-1.44.5.dist-info", Some(vec![1, 44, 5])),
            ("lib/botocore-1.100.0.dist-info", Some(vec![1, 100, 0])),
            ("lib/botocore", None),
            ("lib/botocore-stubs-1.44.5.dist-info", None),
            ("lib/boto3-1.44.5.dist-info", None),
        ] {
            assert_eq!(version(Path::new(name)), expected, "{name}");
        }
        assert!(vec![1, 100, 0] > OLDEST_BOTOCORE.to_vec());
    }
}
