//! An OCI registry for tests (OCI distribution spec 1.1), in memory, with faults that can be switched on.
