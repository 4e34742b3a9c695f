//! The recording from outside: what is written can be read, what is broken is named, what differs
//! is found, and it all reads well.

mod causes;
mod counter;
mod damage;
mod diagram;
mod disk;
mod fixture;
mod print;
mod replay;
mod round_trip;
mod strategy;
mod tape;
