//! What `-v` and `TOUCHMARK_LOG` show on standard error.

use tracing::level_filters::LevelFilter;

/// Begins to show events: the level that `TOUCHMARK_LOG` names, or more where `-v` asks for more.
pub(crate) fn start(verbose: u8) {
    let asked = match verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let named = std::env::var("TOUCHMARK_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::OFF);
    let level = asked.max(named);
    if level == LevelFilter::OFF {
        return;
    }
    // Talk that cannot be delivered changes no outcome, and its failure is not talked about either.
    let shown = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).log_internal_errors(false);
    shown.without_time().with_target(false).init();
}
