//! `keyreeve check`: whether every record of a store opens, and every index says what the records say.

use std::io::{self, Write};

use keyreeve_core::Service;
use keyreeve_core::check::{Finding, Summary, check};
use serde_json::json;
use tokio::runtime;
use tokio::task::LocalSet;

use crate::args::CheckArgs;
use crate::backup::restore;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::Failure;
use crate::start::{self, Purpose};
use crate::{harden, logging, seal};

/// Does what was asked.
pub(crate) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let mut config = Config::of_place(&args.place)?;
    logging::start(&config.log)?;
    harden::process()?;
    let form = if args.json { Form::Json } else { Form::Text };
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let summary = match &args.backup {
            Some(backup) => restore::look_into(config, backup, args.root_key.as_deref(), form).await?,
            None => {
                let path = config.server.data_dir.clone();
                let dir = DataDir::look(&path)?.ok_or(Failure::NothingThere { path })?;
                let (first, dev) = seal::first_start(&dir)?;
                config.dev.is_on = dev;
                if let Some(first) = first {
                    config.server.account = first;
                }
                let service = match start::service(&config, Some(&dir), Purpose::Check).await {
                    Err(Failure::Locked { path }) => return Err(Failure::CheckServing { path }),
                    opened => opened?,
                };
                look(&service, form).await?
            }
        };
        match summary.findings {
            0 => Ok(()),
            findings => Err(Failure::CheckFindings { findings }),
        }
    })
}

/// How findings are told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// One JSON object a line.
    Json,
    /// Lines for people.
    Text,
}

/// Looks at everything in the store of `service`, and says what is wrong and what was looked at.
pub(crate) async fn look(service: &Service, form: Form) -> Result<Summary, Failure> {
    let vault = service.vault();
    let snapshot = vault.snapshot().await?;
    let mut told: io::Result<()> = Ok(());
    let summary = check(vault, &*snapshot, &mut |finding| {
        if told.is_ok() {
            told = tell(&finding, form);
        }
    })
    .await?;
    told?;
    let mut out = io::stdout().lock();
    let Summary { entries, materials, findings } = &summary;
    match form {
        Form::Json => {
            writeln!(out, "{}", json!({"entries": entries, "materials": materials, "findings": findings}))?
        }
        Form::Text => {
            let all: u64 = entries.values().sum();
            let kinds: Vec<_> = entries.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            writeln!(out, "{all} entries: {}", kinds.join(", "))?;
            writeln!(out, "{materials} versions of key material opened; {findings} findings")?;
        }
    }
    Ok(summary)
}

fn tell(finding: &Finding, form: Form) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match form {
        Form::Json => {
            let Finding { path, problem } = finding;
            writeln!(out, "{}", json!({"path": path, "problem": problem.code(), "text": problem.to_string()}))
        }
        Form::Text => writeln!(out, "FOUND {finding}"),
    }
}
