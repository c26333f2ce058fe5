//! `sightline audit verify`: walks the whole chain.

use sightline_records::Records;

use super::user::open_records;
use crate::{
    cli::AuditCommand,
    exit::Exit,
    output::{self, Format},
};

pub(super) async fn run(command: AuditCommand, output: Format) -> anyhow::Result<Exit> {
    let AuditCommand::Verify(args) = command;
    let records: Records = open_records(&args).await?;
    let progress = output::progress(records.audit_head().await?.seq, "entries");
    let verified = sightline_trust::verify(&records, |done| progress.set_position(done)).await?;
    progress.finish_and_clear();
    output.print(&verified, |verified| {
        format!(
            "{} entries, every one follows from the one before it.\nhead {}",
            verified.entries, verified.head
        )
    })?;
    Ok(Exit::Ok)
}
