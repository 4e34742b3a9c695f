//! HCL in, typed plan out.
