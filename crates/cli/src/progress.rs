//! A progress bar, on a terminal only.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use touchmark_verify::output::Output;

/// A bar that goes away when it is dropped.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar on standard error, if that is a terminal and notes are wanted.
    pub(crate) fn new(doing: &'static str, output: &Output<'_>) -> Self {
        let bar = Self::plain(doing, output.is_quiet());
        // A template that cannot be read leaves the plain bar.
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}") {
            bar.0.set_style(style);
        }
        bar
    }

    /// As [`new`](Self::new), where nobody knows how much there will be.
    pub(crate) fn counter(doing: &'static str, quiet: bool) -> Self {
        let bar = Self::plain(doing, quiet);
        if let Ok(style) = ProgressStyle::with_template("{msg} {bytes} {bytes_per_sec}") {
            bar.0.set_style(style);
        }
        bar
    }

    fn plain(doing: &'static str, quiet: bool) -> Self {
        let shown = std::io::stderr().is_terminal() && !quiet;
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self(ProgressBar::with_draw_target(None, target).with_message(doing))
    }

    /// Shows that so many bytes more are done.
    pub(crate) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Shows that `done` of `all` bytes are done.
    pub(crate) fn show(&self, done: u64, all: u64) {
        self.0.set_length(all);
        self.0.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
