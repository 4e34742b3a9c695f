//! Judges over a run: always, sometimes, reachable, unreachable, and the table over a campaign.
