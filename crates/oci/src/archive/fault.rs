//! What can be wrong with a tar.

/// Why a tar is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A header's checksum is not that of its bytes: damage, or no tar at all.
    #[error("a header's checksum is wrong: the file is damaged, or no tar")]
    Checksum,
    /// A number that is none, is negative or does not fit.
    #[error("the {what} in a header is no number that is allowed")]
    Number {
        /// Which field.
        what: &'static str,
    },
    /// The file ends within a header or within a member's content.
    #[error("the file is cut short: it ends within a member")]
    Truncated,
    /// The file ends where a header was expected, without the block of zeros that ends a tar.
    #[error("the file is cut short: the end of the archive is missing")]
    NoEnd,
    /// Something other than zeros in the second block of the end.
    #[error("a block of zeros is followed by something else, which some readers take for members and some for nothing")]
    AfterEnd,
    /// More members than the limit.
    #[error("more than {limit} members")]
    Members {
        /// The limit.
        limit: usize,
    },
    /// Longer names than the limit, all together.
    #[error("the names of its members, wherever readers may put them, take more than {limit} bytes")]
    Names {
        /// The limit.
        limit: usize,
    },
    /// A long name or a pax header over the limit.
    #[error("a header of {size} bytes; the limit is {limit}")]
    LongHeader {
        /// Its size.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A pax header that does not follow its grammar, or sets for all members what only one can have.
    #[error("a pax header is malformed")]
    Pax,
    /// A name is given twice for one member, or an extended header belongs to no member.
    #[error("extended headers contradict one another or belong to no member")]
    Extended,
    /// A link, folder or device with content, where readers disagree on the place of the next member.
    #[error("`{name}` is no file and yet has content")]
    Content {
        /// The member.
        name: String,
    },
    /// Two members of one name, of which some readers take the first and some the last.
    #[error("`{name}` is there twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A name that some readers take for a part of the OCI layout, and others for something else or nothing.
    #[error("some readers take `{name}` for a part of the OCI layout, and others do not")]
    Ambiguous {
        /// The name.
        name: String,
    },
    /// A member that some readers write through a link.
    #[error("`{name}` is or lies below the link `{link}`, through which some readers write")]
    ThroughLink {
        /// The member.
        name: String,
        /// The link.
        link: String,
    },
    /// A member of a type whose length or meaning is not known.
    #[error("`{name}` is of type `{flag}`, which is not supported")]
    Type {
        /// The member.
        name: String,
        /// Its type flag.
        flag: char,
    },
    /// A compressed file.
    #[error("the archive is compressed with {with}")]
    Compressed {
        /// The program.
        with: &'static str,
    },
    /// A tar, but no OCI layout.
    #[error("the tar holds no OCI layout: it has no `{missing}`")]
    NoLayout {
        /// Which member is missing.
        missing: &'static str,
        /// What it is instead.
        found: Instead,
    },
    /// `oci-layout` or `index.json` is there, but is no file.
    #[error("`{name}` in the tar is {what}")]
    NoFile {
        /// The member.
        name: &'static str,
        /// What it is.
        what: &'static str,
    },
}

/// What a tar without an OCI layout holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instead {
    /// What `docker save` wrote before it wrote OCI layouts.
    DockerSave,
    /// An OCI layout within a folder.
    Nested {
        /// The folder.
        folder: String,
    },
    /// Something else.
    Other,
}

impl Fault {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Fault::Compressed { with } => {
                let program = match *with {
                    "gzip" => "gunzip",
                    "zstd" => "unzstd",
                    "xz" => "unxz",
                    _ => "bunzip2",
                };
                format!("archives are read in place: decompress it first with {program}")
            }
            Fault::NoLayout { found: Instead::DockerSave, .. } => {
                "this is a docker save archive; convert it: skopeo copy docker-archive:FILE oci-archive:OTHER.tar:TAG".to_owned()
            }
            Fault::NoLayout { found: Instead::Nested { folder }, .. } => {
                format!("the OCI layout is in the folder {folder}; pack the folder's content: tar -C {folder} -cf FILE .")
            }
            Fault::Truncated | Fault::NoEnd | Fault::Checksum => "fetch or export the archive again".to_owned(),
            Fault::Ambiguous { .. } | Fault::ThroughLink { .. } => {
                "no tool writes this by itself: do not unpack it, and get the archive from its origin again".to_owned()
            }
            Fault::Duplicate { .. } => "was it changed with tar -r or -u? Unpack it and export it anew".to_owned(),
            _ => "unpack it with the tool that wrote it, and export the folder with touchmark copy".to_owned(),
        }
    }
}
