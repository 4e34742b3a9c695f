//! The engine: what a thread needs to load and run JavaScript.

use std::rc::Rc;

use dacapo_core::{Boot, Code, Digest, Engine, Instance, LoadError, Probes, Program};

use crate::host::clock::VirtualClock;
use crate::host::isolate::Pool;
use crate::host::process::{self, EngineError, Profile};
use crate::host::snapshot;
use crate::instance::JsInstance;
use crate::load::{self, Bundle};

/// How V8 shall run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JsOptions {
    /// The flags of V8: the same for every engine of a process.
    pub profile: Profile,
    /// Judges histories for workloads: a request in JSON is answered by a verdict in JSON, the same request
    /// always by the same. (It is handed in, because an engine knows nothing of checks.)
    pub judge: Option<Judge>,
    /// Find out which functions and branches of guests run ([`dacapo_core::Program::probes`]). Nothing that they do is
    /// different for it, only a little slower.
    pub covers: bool,
}

/// See [`JsOptions::judge`].
pub type Judge = fn(&str) -> String;

impl JsOptions {
    /// The options for simulation, replay and tests.
    pub fn deterministic() -> JsOptions {
        JsOptions { profile: Profile::Deterministic, judge: None, covers: false }
    }

    /// The options for serving.
    pub fn serve() -> JsOptions {
        JsOptions { profile: Profile::Serve, judge: None, covers: false }
    }
}

/// Loads JavaScript and TypeScript. It stays on the thread that made it; any number of threads
/// may have one each.
pub struct JsEngine {
    pool: Rc<Pool>,
}

impl JsEngine {
    /// An engine for this thread. The first one of a process starts V8 and makes the startup
    /// snapshot.
    pub fn new(options: JsOptions) -> Result<JsEngine, EngineError> {
        process::start(options.profile)?;
        let snapshot = snapshot::get()?;
        Ok(JsEngine { pool: Pool::new(&options, snapshot) })
    }

    /// The version of V8, for the identity of a run.
    pub fn version() -> &'static str {
        v8::V8::get_version()
    }
}

impl Engine for JsEngine {
    fn load(&self, code: &Code<'_>) -> Result<Rc<dyn Program>, LoadError> {
        let _clock = VirtualClock::show(dacapo_core::WallTime::SIM_START, true);
        let bundle = load::load(&self.pool, code)?;
        Ok(Rc::new(JsProgram { pool: Rc::clone(&self.pool), bundle }))
    }
}

struct JsProgram {
    pool: Rc<Pool>,
    bundle: Rc<Bundle>,
}

impl Program for JsProgram {
    fn start(&self, boot: Boot) -> Box<dyn Instance> {
        Box::new(JsInstance::new(&self.pool, &self.bundle, boot))
    }

    fn digest(&self) -> Digest {
        self.bundle.digest
    }

    fn probes(&self) -> Option<&dyn Probes> {
        self.bundle.coverage.as_ref().map(|coverage| coverage as &dyn Probes)
    }
}
