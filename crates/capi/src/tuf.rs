//! The Update Framework: a client by steps and by callbacks.
