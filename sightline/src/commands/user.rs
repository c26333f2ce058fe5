//! `sightline user`: accounts, made by whoever owns the records database.

use anyhow::Context;
use serde::Serialize;
use sightline_model::{Timestamp, account::Account};
use sightline_records::Records;
use sightline_trust::{Accounts, NewAccount, random_password};

use crate::{
    cli::{ConfigArgs, UserCommand},
    config::Config,
    exit::{Exit, Failure},
    output::{self, Format},
};

/// A new account and what is shown once.
#[derive(Serialize)]
struct Made {
    account: Account,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Opens the records that the configuration names.
pub(super) async fn open_records(args: &ConfigArgs) -> anyhow::Result<Records> {
    let config = Config::load(&args.config).map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(dir) = config.records.path.parent() {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    Ok(Records::open(&config.records).await?)
}

pub(super) async fn run(command: UserCommand, output: Format) -> anyhow::Result<Exit> {
    match command {
        UserCommand::List(config) => {
            let accounts = open_records(&config).await?.accounts().await?;
            output.print(&accounts, |accounts| {
                output::table(["name", "role", "unit", "state"], accounts.iter().map(row))
            })?;
        }
        UserCommand::Add { config, name, role, unit, password_file, service } => {
            let records = open_records(&config).await?;
            let accounts = Accounts::new(sightline_trust::Config::default(), records);
            let (password, shown) = match password_file {
                Some(file) => {
                    let text = std::fs::read_to_string(&file)
                        .with_context(|| format!("cannot read {}", file.display()))?;
                    (Some(text.trim_end_matches(['\r', '\n']).to_owned()), false)
                }
                None if service => (None, false),
                None => (Some(random_password()), true),
            };
            let now = Timestamp::now();
            let new = NewAccount { name: name.clone(), role, unit, password: password.clone() };
            let account = accounts
                .create_account(None, new, now)
                .await
                .with_context(|| format!("cannot make {name}"))?;
            let token = match service {
                true => Some(accounts.create_service_token(None, &account, "command line", None, now).await?),
                false => None,
            };
            let made = Made { account, password: password.filter(|_| shown), token };
            output.print(&made, told)?;
        }
    }
    Ok(Exit::Ok)
}

fn row(account: &Account) -> [String; 4] {
    let state = match (account.disabled_at, account.service) {
        (Some(at), _) => format!("off since {at}"),
        (None, true) => "service".to_owned(),
        (None, false) => "on".to_owned(),
    };
    [account.name.clone(), account.role.as_str().to_owned(), account.unit.clone(), state]
}

fn told(made: &Made) -> String {
    let Account { name, role, .. } = &made.account;
    let secret = match (&made.password, &made.token) {
        (Some(password), _) => format!("\npassword {password}\nIt is shown this once."),
        (None, Some(token)) => format!("\ntoken {token}\nIt is shown this once."),
        (None, None) => String::new(),
    };
    format!("{name} can sign in as {}.{secret}", role.as_str())
}
