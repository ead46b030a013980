//! Layouts over attestations, demand by demand and attack by attack, against statements in memory.

#[cfg(test)]
mod layouts;
#[cfg(test)]
mod product;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod world;
