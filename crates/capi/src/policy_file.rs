//! Policy files, which decide over sources.
