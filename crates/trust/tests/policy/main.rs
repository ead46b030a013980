//! The policy document by the vectors of `testdata/policy`, which any implementation can run.
#![cfg(test)]

mod vectors;
