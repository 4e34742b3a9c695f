//! The recording format, the recorder, and the replay world.
