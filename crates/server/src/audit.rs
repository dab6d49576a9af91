//! `keyreeve audit`: the trail from the shell, without the store and without its lock.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use keyreeve_domain::Timestamp;
use keyreeve_observe::archive::{AttributeKey, Found};
use keyreeve_observe::event::Event;
use keyreeve_observe::layout::iso;
use keyreeve_observe::sealed_file::{DataKeyError, SealedFile};
use keyreeve_trail_delivery::{
    DataKeyOf, INDEX_DIR, Index, Query, Range, Report, ends, first_segments, given_public_keys, verify,
    verify_copy,
};

use crate::args::{AuditCommand, AuditPlace, SearchArgs, VerifyArgs};
use crate::backup::origin::Origin;
use crate::config::Config;
use crate::data_dir::TRAIL_DIR;
use crate::exit::Failure;

mod opener;

use opener::Opener;

/// Runs a command.
pub(crate) fn run(command: &AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Search(args) => search(args),
        AuditCommand::Verify(args) => prove(args),
    }
}

/// Where the segments and the delivered files are.
struct Place {
    segments: PathBuf,
    folder: PathBuf,
    /// The folder as the configuration names it.
    folder_name: PathBuf,
}

impl Place {
    fn of(place: &AuditPlace) -> Result<Self, Failure> {
        let config = Config::of_directory(place.data_dir.as_deref(), place.config.as_deref())?;
        let dir: &Path = &config.server.data_dir;
        let found = Self {
            segments: dir.join(TRAIL_DIR),
            folder: dir.join(&config.audit.folder),
            folder_name: config.audit.folder.clone(),
        };
        match found.segments.is_dir() || found.folder.is_dir() {
            true => Ok(found),
            false => Err(Failure::NoTrail { path: dir.to_owned() }),
        }
    }
}

fn prove(args: &VerifyArgs) -> Result<(), Failure> {
    if args.folder.is_some()
        && !args.decrypt
        && (args.place.data_dir.is_some() || args.place.config.is_some())
    {
        let text = "--folder proves a copy without its data directory, which is of use with --decrypt alone.";
        return Err(Failure::Config(text.to_owned()));
    }
    // What cannot be opened is told of, and all that can be proven without is proven.
    let opener = match args.decrypt {
        true => {
            let config = Config::of_directory(args.place.data_dir.as_deref(), args.place.config.as_deref())?;
            Some(Opener::open(config).map_err(|failure| DataKeyError(failure.to_string())))
        }
        false => None,
    };
    let data_key = |file: &SealedFile<'_>| match &opener {
        Some(Ok(opener)) => opener.data_key(file),
        Some(Err(error)) => Err(error.clone()),
        None => Err(DataKeyError("nobody has asked for it".to_owned())),
    };
    let data_key_of = opener.as_ref().map(|_| &data_key as DataKeyOf<'_>);
    if let Some((folder, keys)) = args.folder.as_ref().zip(args.public_keys.as_ref()) {
        return prove_copy(args, folder, keys, data_key_of);
    }
    let place = Place::of(&args.place)?;
    let (mut findings, mut closed) = (0, 0);
    let mut out = io::stdout().lock();
    if place.segments.is_dir() {
        match keyreeve_trail_file::verify_since(&place.segments, &first_segments(&place.folder)?) {
            Ok(report) => {
                let segments: u32 = report.streams.iter().map(|stream| stream.segments).sum();
                let lines: u64 = report.streams.iter().map(|stream| stream.lines).sum();
                writeln!(out, "segments: {segments} with {lines} lines, the chains are whole")?;
            }
            Err(error) => {
                findings += 1;
                writeln!(out, "INVALID segments: {error}")?;
            }
        }
    }
    match (Origin::of(&place.segments)?, &args.before) {
        (None, None) => {}
        (None, Some(_)) => {
            findings += 1;
            writeln!(out, "INVALID segments: nothing in them says that this directory was restored")?;
        }
        (Some(origin), None) => {
            writeln!(out, "{origin}")?;
            writeln!(
                out,
                "what happened before is in the trail of the directory before: --before DIR proves that one"
            )?;
        }
        (Some(origin), Some(before)) => {
            writeln!(out, "{origin}")?;
            for problem in origin.problems(&before.join(TRAIL_DIR), &before.join(&place.folder_name))? {
                findings += 1;
                writeln!(out, "INVALID {}: {problem}", before.display())?;
            }
        }
    }
    if place.folder.is_dir() {
        let range = Range { from: args.from, to: args.to };
        let report = verify(&place.folder, &place.segments, range, &args.trusted_key, data_key_of)?;
        findings += report.findings.len();
        closed += report.closed.values().sum::<u64>();
        tell(&mut out, &report)?;
    }
    conclude(&mut out, findings, closed)
}

/// Proves a copy of a bucket.
fn prove_copy(
    args: &VerifyArgs,
    folder: &Path,
    keys: &Path,
    data_key_of: Option<DataKeyOf<'_>>,
) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Err(Failure::NoTrail { path: folder.to_owned() });
    }
    let read = std::fs::read(keys).and_then(|json| given_public_keys(&json));
    let read =
        read.map_err(|error| Failure::Config(format!("--public-keys {}: {error}.", keys.display())))?;
    let range = Range { from: args.from, to: args.to };
    let report = verify_copy(folder, range, &args.trusted_key, read, data_key_of)?;
    let mut out = io::stdout().lock();
    tell(&mut out, &report)?;
    if report.ends.is_empty() {
        writeln!(out, "INVALID {}: there is no digest in it", folder.display())?;
        return conclude(&mut out, 1, 0);
    }
    // The newest files of a copy that is whole are ahead of their digest: this is no reason to wake anybody.
    if report.unproven > 0 {
        let unproven = report.unproven;
        writeln!(out, "NOT PROVEN: {unproven} log files that are younger than the newest digest")?;
    }
    conclude(&mut out, report.findings.len(), report.closed.values().sum())
}

fn tell(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "INVALID {}: {}", finding.place, finding.problem)?;
    }
    let (digests, logs, events) = (report.digests, report.logs, report.events);
    writeln!(out, "delivered: {digests} digests, {logs} log files with {events} events")?;
    if report.opened > 0 {
        let opened = report.opened;
        writeln!(out, "encrypted: {opened} of them, which were opened")?;
    }
    if report.sealed > 0 {
        let sealed = report.sealed;
        writeln!(out, "encrypted: {sealed} of them, as their digests say; their events were not read")?;
    }
    for (why, number) in &report.closed {
        writeln!(out, "NOT PROVEN: the events of {number} encrypted log files, which do not open ({why})")?;
    }
    for (chain, end) in &report.ends {
        writeln!(out, "chain {chain}: its newest digest ends at {}", iso(*end))?;
    }
    for key in &report.keys {
        writeln!(out, "signed by {key}")?;
    }
    Ok(())
}

/// `closed` is the number of log files that were to be opened and did not open.
fn conclude(out: &mut impl Write, findings: usize, closed: u64) -> Result<(), Failure> {
    match (findings, closed) {
        (0, 0) => Ok(writeln!(out, "the audit trail is whole")?),
        (0, logs) => Err(Failure::TrailUnproven { logs }),
        (findings, _) => Err(Failure::TrailFindings { findings }),
    }
}

fn search(args: &SearchArgs) -> Result<(), Failure> {
    let place = Place::of(&args.place)?;
    // Whether a change that was announced is still in hand cannot be told from here, but for older segments.
    let began =
        ends(&place.segments)?.into_iter().map(|(stream, (number, _))| (stream, (number, 0))).collect();
    let attributes =
        [(AttributeKey::EventId, args.event_id.clone()), (AttributeKey::EventName, args.event_name.clone())];
    let query = Query {
        owner: None,
        attributes: attributes.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
        resource: args.key.clone(),
        principal: args.principal.clone(),
        from: args.from,
        to: args.to,
        after: None,
        oldest_first: false,
        limit: args.limit,
        bytes: usize::MAX,
    };
    let mut out = io::stdout().lock();
    for found in Index::new(&place.segments, began).kept_in(&place.folder.join(INDEX_DIR)).find(&query)? {
        match args.json {
            true => writeln!(out, "{}", String::from_utf8_lossy(&found.json))?,
            false => writeln!(out, "{}", line(&found))?,
        }
    }
    Ok(())
}

/// An event in one line, for people.
fn line(found: &Found) -> String {
    let Some(event) = Event::read(&found.json) else { return String::new() };
    let time = iso(Timestamp::from_millis(found.place.time));
    let resources: Vec<&str> = event.resources.iter().map(|resource| resource.arn.as_ref()).collect();
    format!(
        "{time}  {}  {}  {}  {}  {}",
        event.event_name,
        event.error_code.as_deref().unwrap_or("ok"),
        event.principal().unwrap_or("-"),
        if resources.is_empty() { "-".to_owned() } else { resources.join(" ") },
        event.event_id,
    )
}
