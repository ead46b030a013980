//! Targets that a TUF client found.
