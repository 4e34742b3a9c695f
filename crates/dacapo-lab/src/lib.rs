//! Run a scenario under a seed; explore; save.
