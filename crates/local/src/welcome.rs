//! What the terminal says once everything is up: addresses, keys, and lines to paste.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;
use template::Template;

use crate::data_dir::{DataDir, write_private};
use crate::failure::{Context, Result};
use crate::progress::say;
use crate::project::Project;
use crate::seed::Demo;

/// The sample event of "One function by itself", and what stands in it where a key belongs.
const SAMPLE_EVENT: &str = "authorizer-rest-x-api-key.json";
const PLACEHOLDER: &str = "REPLACE_WITH_KEY";

/// `functions.json`: where the functions can be called past the gateway.
#[derive(Debug, Serialize)]
pub struct Functions {
    /// Lambda's `Invoke`, for `cargo lambda invoke -A 127.0.0.1 -P <port>`.
    invoke_port: u16,
    /// The function URLs that the template gives, by package, each with a slash at the end.
    urls: BTreeMap<String, String>,
}

impl Functions {
    /// Reads from the template which functions have a URL.
    ///
    /// # Errors
    /// The template's functions can't be read.
    pub fn new(template: &Template, cargo_lambda: SocketAddr) -> Result<Self> {
        let urls = template
            .functions()?
            .into_iter()
            .filter(|function| function.has_function_url)
            .map(|function| {
                let url = format!("http://{cargo_lambda}/lambda-url/{}/", function.package);
                (function.package, url)
            })
            .collect();
        Ok(Self { invoke_port: cargo_lambda.port(), urls })
    }

    /// Writes `functions.json`.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write(&self, data: &DataDir) -> Result<()> {
        let content = serde_json::to_vec_pretty(self).doing(|| "writing functions.json".to_owned())?;
        write_private(&data.path().join("functions.json"), &content)
    }
}

/// Writes the sample event with the demo key in it, and answers where it is.
///
/// # Errors
/// There is no such event in the project, or the file can't be written.
pub fn write_sample_event(project: &Project, data: &DataDir, demo: &Demo) -> Result<PathBuf> {
    let sample = project.root.join("events").join(SAMPLE_EVENT);
    let event = std::fs::read_to_string(&sample).doing(|| format!("reading {}", sample.display()))?;
    let file = data.folder("events")?.join(SAMPLE_EVENT);
    write_private(&file, event.replace(PLACEHOLDER, &demo.api_key).as_bytes())?;
    Ok(file)
}

/// Prints it; the last line is `ready`.
pub fn welcome(demo: &Demo, functions: &Functions, cargo_lambda: &Path, event: &Path, data: &DataDir) {
    say(text(demo, functions, cargo_lambda, event, data.path()));
    say("ready");
}

/// A path as a shell reads it.
fn pasted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+@:,".contains(character);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

fn text(demo: &Demo, functions: &Functions, cargo_lambda: &Path, event: &Path, data_dir: &Path) -> String {
    let Demo { base_url, client_id, api_key, test_key, admin_key, .. } = demo;
    let mut text = format!("\nGateway        {base_url}\n");
    for url in functions.urls.values() {
        let _ = writeln!(text, "Function URL   {url}");
    }
    let _ = write!(
        text,
        r#"Logs           {logs}

Demo client    {client_id}
Live key       {api_key}
Test key       {test_key}
Admin key      {admin_key}
All of it is in {demo}

A key for a token, and the token for data (SIMCEL):
  TOKEN=$(curl -s {base_url}/auth/token -H 'Content-Type: application/json' \
    -d '{{"apiKey":"{api_key}"}}' | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')
  curl "{base_url}/insights/v1/pnl-summary?planId=1" -H "Authorization: Bearer $TOKEN"
The same in other words (Simbee):
  curl {base_url}/auth/exchange -H 'Content-Type: application/json' -d '{{"api_key":"{api_key}"}}'
The key itself as a bearer (SIMOSphere):
  curl {base_url}/v1/chat/completions -H 'Authorization: Bearer {api_key}' \
    -H 'Content-Type: application/json' -d '{{"model":"demo","messages":[{{"role":"user","content":"Hello"}}]}}'
The key in a header of its own (Sim):
  curl {base_url}/api/workflows/1/execute -H 'X-API-Key: {api_key}' -H 'Content-Type: application/json' -d '{{}}'
One more key:
  curl {base_url}/api/v1/clients/{client_id}/api_keys -H 'Authorization: Bearer {admin_key}' \
    -H 'Content-Type: application/json' -d '{{"name":"mine","scopes":["insights:read"]}}'
One function by itself:
  {cargo_lambda} lambda invoke -A 127.0.0.1 -P {port} authorizer --data-file {event}
"#,
        logs = data_dir.join("logs").display(),
        demo = data_dir.join("demo.json").display(),
        cargo_lambda = pasted(cargo_lambda),
        event = pasted(event),
        port = functions.invoke_port,
    );
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn demo() -> Demo {
        Demo {
            base_url: "http://127.0.0.1:1234".to_owned(),
            client_id: "cl_demo".to_owned(),
            workspace_id: String::new(),
            api_key: "sk_live_demo".to_owned(),
            test_key: "sk_test_demo".to_owned(),
            admin_key: "sk_live_admin".to_owned(),
            email: String::new(),
            password: "not-shown".to_owned(),
        }
    }

    #[test]
    fn every_line_to_paste_names_this_gateway_and_a_key() {
        let template = Template::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        let functions = Functions::new(&template, ([127, 0, 0, 1], 4000).into()).unwrap();
        let text =
            text(&demo(), &functions, Path::new("/t/cargo-lambda"), Path::new("/d/my event.json"), Path::new("/d"));
        assert_eq!(text.matches("curl ").count(), text.matches("http://127.0.0.1:1234/").count());
        assert!(text.contains("http://127.0.0.1:4000/lambda-url/jwks/"));
        assert!(text.contains(r#"-d '{"api_key":"sk_live_demo"}'"#));
        assert!(!text.contains("/lambda-url/demo-api/"), "it would lead around the authorizer");
        assert!(text.contains(
            "/t/cargo-lambda lambda invoke -A 127.0.0.1 -P 4000 authorizer --data-file '/d/my event.json'\n"
        ));
        assert!(!text.contains("not-shown") && !text.contains("{api_key}"));
    }

    #[test]
    fn the_sample_event_holds_the_demo_key_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path(), false).unwrap();
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).to_owned();
        let project = Project { target: root.join("target"), root };
        let file = write_sample_event(&project, &data, &demo()).unwrap();
        let event: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(event["headers"]["X-API-Key"], "sk_live_demo");
        assert_eq!(event["multiValueHeaders"]["X-API-Key"][0], "sk_live_demo");
        assert!(!event.to_string().contains(PLACEHOLDER));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(file.starts_with(data.path()));
    }

    #[test]
    fn paths_are_quoted_where_a_shell_would_misread_them() {
        assert_eq!(pasted(Path::new("/a-b/c_d.1/ü")), "/a-b/c_d.1/ü");
        assert_eq!(pasted(Path::new("/a b")), "'/a b'");
        assert_eq!(pasted(Path::new("/it's/$HOME")), r"'/it'\''s/$HOME'");
    }
}
