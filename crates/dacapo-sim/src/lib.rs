//! A world from a seed: virtual clock, seeded scheduler, network, processes, faults.
