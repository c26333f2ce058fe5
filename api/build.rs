//! Makes sure that there is a console to embed: the built one, or a page that says how to build it.

use std::{fs, io, path::Path};

const PLACEHOLDER: &str = "<!doctype html>
<meta charset=\"utf-8\">
<title>Sightline</title>
<p>The console is not built into this program. Build it with <code>npm ci && npm run build</code> in
<code>api/console</code>, then build the program again. The API is at <a href=\"/api/docs/\">/api/docs</a>.</p>
";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=console/dist");
    let page = Path::new("console/dist/index.html");
    if !page.exists() {
        fs::create_dir_all("console/dist")?;
        fs::write(page, PLACEHOLDER)?;
    }
    Ok(())
}
