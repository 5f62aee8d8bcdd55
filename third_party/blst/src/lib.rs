//! Carries every C symbol of blst into one static library; the C++ code calls blst through its own C header.
pub use blst::*;
