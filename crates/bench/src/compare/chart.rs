//! The chart: what a call costs, what a start costs, and the memory, each subject a bar. Bars are as long as the numbers beside
//! them; every panel has a scale of its own.

use std::fmt::Write as _;

use crate::compare::report::{Figures, Report};

const WIDTH: usize = 760;
const ROW: usize = 24;
/// Where bars begin, and how long the longest is.
const LEFT: usize = 250;
const LONGEST: f64 = 400.0;

/// What a panel shows: its title, the unit, its subjects with their names there, and the figure of one.
type Panel = (&'static str, &'static str, &'static [(&'static str, &'static str)], fn(&Figures) -> Option<f64>);

/// Which subjects are in a panel, with their names there. Ours are drawn in another colour.
const VERIFYING: [(&str, &str); 8] = [
    ("echo", "answers a constant (floor)"),
    ("authorizer, JWT ES256", "Keygate authorizer, new JWT"),
    ("authorizer, JWT ES256, known", "Keygate authorizer, JWT again"),
    ("authorizer, raw key", "Keygate authorizer, raw key"),
    ("Rust, jsonwebtoken", "Rust, jsonwebtoken"),
    ("Node, aws-jwt-verify", "Node 20, aws-jwt-verify"),
    ("Node, jose", "Node 20, jose"),
    ("Python, PyJWT", "Python 3.11, PyJWT"),
];
const COLD: [(&str, &str); 6] = [
    ("echo", "answers a constant (floor)"),
    ("authorizer, JWT ES256, TLS", "Keygate authorizer, JWT"),
    ("Rust, jsonwebtoken", "Rust, jsonwebtoken"),
    ("Node, aws-jwt-verify", "Node 20, aws-jwt-verify"),
    ("Node, jose", "Node 20, jose"),
    ("Python, PyJWT", "Python 3.11, PyJWT"),
];
const ISSUING: [(&str, &str); 2] =
    [("token-exchange", "Keygate exchange, with its read"), ("oidc-provider", "oidc-provider 9, in memory")];

/// Draws it.
pub(super) fn draw(report: &Report) -> String {
    let panels: [Panel; 4] = [
        ("An authorization: CPU time", "µs", &VERIFYING, |figures| figures.cpu_us),
        ("A cold start to its first answer, keys fetched over TLS: CPU time", "ms", &COLD, |figures| {
            figures.cold_cpu_ms
        }),
        ("The most memory", "MB", &VERIFYING, |figures| figures.peak_mb),
        ("A token issued: CPU time", "µs", &ISSUING, |figures| figures.cpu_us),
    ];
    let mut body = String::new();
    let mut y = 30;
    for (title, unit, subjects, of) in panels {
        let bars: Vec<(&str, f64)> = subjects
            .iter()
            .filter_map(|(name, label)| {
                Some((*label, of(report.figures.iter().find(|figures| figures.name == *name)?)?))
            })
            .collect();
        let most = bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
        let _ = writeln!(body, r#"<text class="title" x="10" y="{y}">{title}, {unit}</text>"#);
        for (label, value) in bars {
            y += ROW;
            let class = if label.starts_with("Keygate") { "ours" } else { "other" };
            let (length, end) = (value / most * LONGEST, value / most * LONGEST + 256.0);
            let digits = usize::from(value < 100.0);
            let _ = writeln!(
                body,
                "<text class=\"label\" x=\"{}\" y=\"{y}\">{label}</text>\
                 <rect class=\"{class}\" x=\"{LEFT}\" y=\"{}\" width=\"{length:.1}\" height=\"16\"/>\
                 <text x=\"{end:.1}\" y=\"{y}\">{value:.digits$}</text>",
                LEFT - 8,
                y - 13,
            );
        }
        y += 40;
    }
    let Report { date, architecture, rounds, calls, .. } = report;
    let foot = format!(
        "{date}, all on one {architecture} processor: cargo run --profile {} -p bench -- --rounds {rounds} --calls {calls} --chart FILE",
        local::project::profile()
    );
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="name">
<title id="name">What Keygate's functions cost beside others</title>
<style>
svg {{ background: #ffffff; }}
text {{ font: 13px system-ui, sans-serif; fill: #24292f; }}
.title {{ font-weight: 600; }}
.label {{ text-anchor: end; }}
.foot {{ font-size: 11px; fill: #57606a; }}
.ours {{ fill: #0969da; }}
.other {{ fill: #afb8c1; }}
@media (prefers-color-scheme: dark) {{
svg {{ background: #0d1117; }}
text {{ fill: #e6edf3; }}
.foot {{ fill: #8b949e; }}
.ours {{ fill: #58a6ff; }}
.other {{ fill: #484f58; }}
}}
</style>
{body}<text class="foot" x="10" y="{y}">{foot}</text>
</svg>
"#,
        height = y + 16
    )
}
