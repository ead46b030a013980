//! OCI layouts, folders and tars, as sources of artifacts.
