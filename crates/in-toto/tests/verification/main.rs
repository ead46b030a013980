//! Whole verifications, clause by clause and attack by attack, against supply chains in memory.

#[cfg(test)]
mod bounds;
#[cfg(test)]
#[cfg(feature = "x509")]
mod certificates;
#[cfg(test)]
mod chain;
#[cfg(test)]
#[cfg(feature = "rsa")]
mod golang;
#[cfg(test)]
#[cfg(feature = "x509")]
mod golang_certificates;
#[cfg(test)]
mod inspections;
#[cfg(test)]
mod layouts;
#[cfg(test)]
mod links;
#[cfg(test)]
mod older;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod product;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod sublayouts;
#[cfg(test)]
mod thresholds;
