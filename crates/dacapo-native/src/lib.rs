//! A Rust async fn service as an instance.
