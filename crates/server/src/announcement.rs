//! What a start says: one line on standard output, and how to use the service on standard error.

use std::io::{self, Write};

use crate::config::Config;
use crate::data_dir::{CREDENTIALS_FILE, DataDir};
use crate::dev::{SECRET, TEST_ID};
use crate::start;

pub(crate) fn announce(config: &Config, dir: Option<&DataDir>, url: &str) -> io::Result<()> {
    let mut err = io::stderr().lock();
    if config.dev.is_on {
        test_mode(&mut err, config, dir, url)?;
    } else if let Some(dir) = dir {
        writeln!(err, "To use it from this machine:\n")?;
        endpoints(&mut err, url)?;
        let credentials = std::path::absolute(dir.join(CREDENTIALS_FILE))?;
        writeln!(err, "  export AWS_SHARED_CREDENTIALS_FILE={}", credentials.display())?;
        let region = start::home_region(config).map_err(io::Error::other)?;
        first_steps(&mut err, &region.to_string())?;
    }
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {url}")?;
    out.flush()
}

fn test_mode(err: &mut impl Write, config: &Config, dir: Option<&DataDir>, url: &str) -> io::Result<()> {
    writeln!(
        err,
        "*** TEST MODE (--dev). NOT FOR SECRETS: everybody knows the access keys of this service, ***"
    )?;
    writeln!(
        err,
        "*** and whoever reaches it may move its clock and remove every key.                     ***\n"
    )?;
    match dir {
        Some(dir) => writeln!(err, "Kept in {}.", dir.path().display())?,
        None => writeln!(err, "Kept in memory alone.")?,
    }
    writeln!(err, "To use it:\n")?;
    endpoints(err, url)?;
    writeln!(err, "  export AWS_ACCESS_KEY_ID={TEST_ID} AWS_SECRET_ACCESS_KEY={SECRET}")?;
    let region = start::home_region(config).map_err(io::Error::other)?;
    first_steps(err, &region.to_string())?;
    writeln!(err, "Another account: AWS_ACCESS_KEY_ID is its twelve digits, the secret `{SECRET}`.")?;
    writeln!(err, "The clock: curl -d '{{\"advance_seconds\": 86400}}' {url}/_keyreeve/clock")?;
    writeln!(err, "The beginning: curl -X POST {url}/_keyreeve/reset\n")
}

fn endpoints(err: &mut impl Write, url: &str) -> io::Result<()> {
    writeln!(err, "  export AWS_ENDPOINT_URL_KMS={url}")?;
    writeln!(err, "  export AWS_ENDPOINT_URL_IAM={url} AWS_ENDPOINT_URL_STS={url}")?;
    writeln!(err, "  export AWS_ENDPOINT_URL_CLOUDWATCH={url}")?;
    writeln!(err, "  export AWS_ENDPOINT_URL_CLOUDTRAIL={url} AWS_ENDPOINT_URL_S3={url}")?;
    writeln!(err, "  export AWS_ENDPOINT_URL_CLOUDWATCH_LOGS={url}")
}

fn first_steps(err: &mut impl Write, region: &str) -> io::Result<()> {
    writeln!(err, "  export AWS_REGION={region} AWS_DEFAULT_REGION={region}")?;
    writeln!(err, "  aws kms create-key --description 'My first key'\n")
}
