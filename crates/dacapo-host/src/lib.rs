//! A world from the operating system: sockets, HTTP, timers, entropy.
