//! `sightline footage export`: a clip from a running node, under a grant. There is no way around the node: it decides on
//! the look and writes it down before it gives anything out.

use std::{fs::File, io::Write, path::Path};

use anyhow::Context;
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    cli::ExportArgs,
    exit::{Exit, Failure},
    output::{self, Format},
};

pub(super) async fn run(args: ExportArgs, output: Format) -> anyhow::Result<Exit> {
    let node = Node::sign_in(&args).await?;
    let grant = match &args.grant {
        Some(grant) => grant.clone(),
        None => node.open_grant(&args).await?,
    };
    let mut clip = node.clip(&args, &grant).await?;
    let told = |name: &str| clip.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let gaps: Vec<String> = told("x-gap-list")
        .map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>())
        .unwrap_or_default();
    let from = told("x-clip-start");
    let progress = output::progress(clip.content_length().unwrap_or(0), "bytes");
    let draft = args.to_file.with_extension("partial");
    let mut file = File::create(&draft).with_context(|| format!("could not create {}", draft.display()))?;
    let mut bytes = 0;
    while let Some(chunk) = clip.chunk().await.context("the clip broke off; the part that came was kept")? {
        file.write_all(&chunk).with_context(|| format!("could not write {}", draft.display()))?;
        bytes += chunk.len() as u64;
        progress.set_position(bytes);
    }
    file.sync_all()?;
    std::fs::rename(&draft, &args.to_file)
        .with_context(|| format!("could not name {}", args.to_file.display()))?;
    progress.finish_and_clear();
    let exported = Exported { file: args.to_file.display().to_string(), bytes, from, grant, gaps };
    output.print(&exported, Exported::sentence)?;
    Ok(if exported.gaps.is_empty() { Exit::Ok } else { Exit::Partial })
}

/// What came.
#[derive(Serialize)]
struct Exported {
    file: String,
    bytes: u64,
    /// When the first frame was seen.
    from: Option<String>,
    grant: String,
    /// What is missing: from/to/reason.
    gaps: Vec<String>,
}

impl Exported {
    fn sentence(&self) -> String {
        let from = self.from.as_deref().unwrap_or("an unknown time");
        let mut text = format!("{}: {} bytes from {from}, under grant {}", self.file, self.bytes, self.grant);
        for gap in &self.gaps {
            text.push_str(&format!("\nmissing: {gap}"));
        }
        text
    }
}

/// A node that somebody is signed in to.
struct Node {
    http: Client,
    api: String,
    csrf: String,
}

#[derive(Deserialize)]
struct SignedIn {
    csrf: String,
}

#[derive(Deserialize)]
struct Granted {
    id: String,
}

impl Node {
    async fn sign_in(args: &ExportArgs) -> anyhow::Result<Self> {
        let http = Client::builder().cookie_store(true).build()?;
        let api = args.api.trim_end_matches('/').to_owned();
        let password = secret(&args.password_file)?;
        let body = json!({ "name": args.user, "password": password });
        let answer = http.post(format!("{api}/session")).json(&body).send().await;
        let answer = answer.with_context(|| format!("no node answers at {api}: is --api its address?"))?;
        let SignedIn { csrf } = good(answer).await?.json().await?;
        Ok(Self { http, api, csrf })
    }

    async fn open_grant(&self, args: &ExportArgs) -> anyhow::Result<String> {
        let (Some(case), Some(reason)) = (&args.case, &args.reason) else {
            let way = "name a grant with --grant, or a case with --case and why with --reason";
            return Err(Failure::Usage(way.to_owned()).into());
        };
        let body = json!({
            "ground": { "kind": "case", "ref": case },
            "cameras": [args.camera],
            "from": args.from,
            "to": args.to,
            "reason": reason,
        });
        let ask = self.http.post(format!("{}/grants", self.api)).header("X-CSRF-Token", &self.csrf);
        let Granted { id } = good(ask.json(&body).send().await?).await?.json().await?;
        Ok(id)
    }

    async fn clip(&self, args: &ExportArgs, grant: &str) -> anyhow::Result<Response> {
        let ask = self.http.get(format!("{}/footage/{}/clip.mp4", self.api, args.camera));
        let query = [("from", args.from.as_str()), ("to", args.to.as_str()), ("grant", grant)];
        good(ask.query(&query).send().await?).await
    }
}

/// The answer, or what the node says is wrong and the way out.
async fn good(answer: Response) -> anyhow::Result<Response> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Problem {
        title: String,
        detail: Option<String>,
        code: String,
        remedy: Option<String>,
    }
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let problem: Problem = answer.json().await.unwrap_or_default();
    let said = problem.detail.unwrap_or(problem.title);
    let remedy = problem.remedy.map(|remedy| format!("; {remedy}")).unwrap_or_default();
    let text = format!("the node answered {status}: {said} ({}){remedy}", problem.code);
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(Failure::Denied(text).into());
    }
    anyhow::bail!(text)
}

fn secret(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
