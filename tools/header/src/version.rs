//! The version of the workspace, as macros.

use std::error::Error;
use std::fs;
use std::path::Path;

/// What `version` in `[workspace.package]` says.
pub struct Version([u32; 3]);

impl Version {
    pub fn of(manifest: &Path) -> Result<Self, Box<dyn Error>> {
        let manifest = fs::read_to_string(manifest)?;
        let package = manifest.split("[workspace.package]").nth(1).ok_or("no [workspace.package]")?;
        let line = package.lines().find_map(|line| line.strip_prefix("version = ")).ok_or("no version")?;
        let parts = line.trim().trim_matches('"').split('.').map(str::parse).collect::<Result<Vec<u32>, _>>()?;
        let parts: [u32; 3] = parts.try_into().map_err(|_| "a version has three parts")?;
        if parts.iter().any(|part| *part >= 1 << 12) {
            return Err("a part of the version does not fit into TOUCHMARK_ABI_VERSION".into());
        }
        Ok(Self(parts))
    }

    pub fn macros(&self) -> String {
        let [major, minor, patch] = self.0;
        format!(
            "/* The version of this header. */\n\
             #define TOUCHMARK_VERSION_MAJOR {major}\n\
             #define TOUCHMARK_VERSION_MINOR {minor}\n\
             #define TOUCHMARK_VERSION_PATCH {patch}\n\
             #define TOUCHMARK_VERSION \"{major}.{minor}.{patch}\"\n\
             /* major << 24 | minor << 12 | patch, as touchmark_abi_version() gives it for the library. */\n\
             #define TOUCHMARK_ABI_VERSION 0x{:08x}\n",
            major << 24 | minor << 12 | patch
        )
    }
}
