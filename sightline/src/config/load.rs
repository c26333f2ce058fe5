//! Reading: the file first, so that every mistake has its line; then the environment over it, each mistake with its
//! variable.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

/// Prefix of environment variables that set a key; two underscores stand between levels.
const ENV_PREFIX: &str = "SIGHTLINE_";

/// A configuration that cannot be used, with the place of the mistake.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// The file says something wrong.
    #[error("{path}:{line}:{column}: {message}", path = path.display())]
    File { path: PathBuf, line: usize, column: usize, message: String },
    /// An environment variable says something wrong.
    #[error("environment variable {name}: {message}")]
    Environment { name: String, message: String },
}

/// Reads `path` into `T` and lays `environment` over it.
pub(crate) fn load<T: DeserializeOwned>(
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    parse(path, &text, environment)
}

fn parse<T: DeserializeOwned>(
    path: &Path,
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, Error> {
    let in_file = |error: toml::de::Error| at_line(path, text, &error);
    let mut config: T = toml::from_str(text).map_err(in_file)?;
    let mut table: toml::Table = toml::from_str(text).map_err(in_file)?;
    let mut variables: Vec<_> =
        environment.into_iter().filter_map(|(name, value)| keys(&name, value)).collect();
    variables.sort();
    for (name, keys, value) in variables {
        let wrong = |message: String| Error::Environment { name: name.clone(), message };
        set(&mut table, &keys, literal(&value)).map_err(wrong)?;
        config = T::deserialize(table.clone()).map_err(|error| wrong(error.message().to_owned()))?;
    }
    Ok(config)
}

fn at_line(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error::File { path: path.to_owned(), line, column, message: error.message().to_owned() }
}

/// `SIGHTLINE_API__LISTEN` names `api.listen`. Variables with a single level (`SIGHTLINE_CONFIG`) are options, not keys.
fn keys(name: &str, value: String) -> Option<(String, Vec<String>, String)> {
    let keys: Vec<String> =
        name.strip_prefix(ENV_PREFIX)?.split("__").map(|key| key.to_ascii_lowercase()).collect();
    (keys.len() > 1).then(|| (name.to_owned(), keys, value))
}

/// What a variable's text means: a TOML literal (`4`, `true`, `["a"]`) or else plain text.
fn literal(text: &str) -> toml::Value {
    toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

fn set(table: &mut toml::Table, keys: &[String], value: toml::Value) -> Result<(), String> {
    match keys {
        [] => Ok(()),
        [last] => {
            table.insert(last.clone(), value);
            Ok(())
        }
        [first, rest @ ..] => {
            let below = table.entry(first.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            match below {
                toml::Value::Table(below) => set(below, rest, value),
                _ => Err(format!("{first} is a value, so nothing can stand below it")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        api: Api,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Api {
        listen: String,
        #[serde(default)]
        workers: u8,
    }

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Sample, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        parse(Path::new("s.toml"), text, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = read("[api]\nlisten = \"a\"\n\nlissten = \"b\"\n", &[]).unwrap_err();
        assert!(error.starts_with("s.toml:4:1: unknown field `lissten`"), "{error}");
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let environment = [("SIGHTLINE_API__WORKERS", "3"), ("SIGHTLINE_CONFIG", "x"), ("HOME", "/")];
        let config = read("[api]\nlisten = \"a\"\n", &environment).unwrap();
        assert_eq!(config, Sample { api: Api { listen: "a".to_owned(), workers: 3 } });
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let error = read("[api]\nlisten = \"a\"\n", &[("SIGHTLINE_API__WORKERZ", "3")]).unwrap_err();
        assert!(
            error.starts_with("environment variable SIGHTLINE_API__WORKERZ: unknown field `workerz`"),
            "{error}"
        );
        let error = read("[api]\nlisten = \"a\"\n", &[("SIGHTLINE_API__LISTEN__X", "3")]).unwrap_err();
        assert!(error.contains("listen is a value"), "{error}");
    }
}
