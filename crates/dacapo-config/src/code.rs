//! The codes of everything that can be wrong with a configuration. `docs/configuration.md` lists
//! them from here.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $number:literal $name:literal $doc:literal),* $(,)?) => {
        /// What kind of mistake an [`crate::Error`] tells of. Numbers are never given anew.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $doc] $variant),* }

        impl Code {
            /// Every code, in the order of the docs.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The number that people look up: `DC0010`.
            pub fn number(self) -> &'static str {
                match self { $(Code::$variant => $number),* }
            }

            /// The name that programs match: `dacapo::config::unknown_service`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => concat!("dacapo::config::", $name)),* }
            }

            /// What it means, in one sentence.
            pub fn doc(self) -> &'static str {
                match self { $(Code::$variant => $doc),* }
            }
        }
    };
}

codes! {
    Syntax = "DC0001" "syntax" "The text is not HCL.",
    UnknownBlock = "DC0002" "unknown_block" "A block that Dacapo does not know, or that does not belong here.",
    UnknownAttribute = "DC0003" "unknown_attribute" "An attribute that this block does not have.",
    Missing = "DC0004" "missing" "A block lacks an attribute that it must have.",
    Repeated = "DC0005" "repeated" "Something that may stand once stands twice.",
    WrongType = "DC0006" "wrong_type" "A value has another type than the attribute takes.",
    NotLiteral = "DC0007" "not_literal" "A value would have to be computed; values stand there as they are.",
    Label = "DC0008" "label" "A block has too few or too many labels.",
    Name = "DC0009" "name" "A name has a form that names may not have.",
    UnknownService = "DC0010" "unknown_service" "A service is named that does not exist.",
    NoService = "DC0011" "no_service" "The project has no service.",
    Route = "DC0012" "route" "A route is not a URL pattern.",
    RouteTaken = "DC0013" "route_taken" "Two routes claim the same URLs.",
    Host = "DC0014" "host" "A host is not a host name.",
    UnusedStub = "DC0015" "unused_stub" "A stub stands in for a host that no service may call.",
    Cron = "DC0016" "cron" "A cron line is not one, or is never due.",
    Path = "DC0017" "path" "A path is not one inside of the project.",
    NoFile = "DC0018" "no_file" "A module does not exist.",
    Duration = "DC0019" "duration" "A text is not a length of time.",
    Size = "DC0020" "size" "A text is not a size.",
    Range = "DC0021" "range" "A number, a time or a size is too small or too large.",
    UnknownFault = "DC0022" "unknown_fault" "A fault or a group of faults is named that does not exist.",
    UnknownParam = "DC0023" "unknown_param" "A fault does not have this parameter.",
    Contradiction = "DC0024" "contradiction" "Two settings that are right alone cannot hold together.",
    UnknownClass = "DC0025" "unknown_class" "A class of durable objects is named that its service does not have.",
    UnknownQueue = "DC0026" "unknown_queue" "A queue or a KV namespace is named that does not exist.",
    Zone = "DC0027" "zone" "A time zone is named that does not exist.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.number())
    }
}
