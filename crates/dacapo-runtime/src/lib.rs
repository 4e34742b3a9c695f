//! The runtime of one node: route, admit, run a turn, supervise. The same code in every world.
