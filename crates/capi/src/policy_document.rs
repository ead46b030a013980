//! Policy documents: read, checked, asked which rule decides.
