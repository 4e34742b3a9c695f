//! The same run, whatever the machine does and whatever ran before.

mod common;

use std::time::Duration;

use common::{Guest, boot, engine, load, service};

const ALL: &str = "
    const seen = [new Date().toISOString(), Date.now(), new Date().toString(), performance.now(),
      new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' }).format(),
      Intl.DateTimeFormat().resolvedOptions().timeZone, Intl.NumberFormat().resolvedOptions().locale,
      (1234.5).toLocaleString(), Temporal.Now.instant().epochMilliseconds, Temporal.Now.timeZoneId(),
      Math.random(), Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(4)).join(),
      typeof SharedArrayBuffer, typeof Atomics.waitAsync, Error.stackTraceLimit];
    return new Response(seen.join('\\n'));";

#[test]
fn clocks_locale_and_random_numbers_come_from_the_turn() {
    // SAFETY: nextest gives each test its own process, and no other thread reads the environment.
    unsafe {
        std::env::set_var("TZ", "Asia/Tokyo");
        std::env::set_var("LANG", "de_DE.UTF-8");
        std::env::set_var("LC_ALL", "de_DE.UTF-8");
    }
    let mut guest = service(&engine(), ALL);
    insta::assert_snapshot!(guest.get("/"), @"
    x1 200 2025-01-01T00:00:00.000Z
    1735689600000
    Wed Jan 01 2025 00:00:00 GMT+0000 (Coordinated Universal Time)
    0
    Wednesday, January 1, 2025 at 12:00:00 AM UTC
    UTC
    en-US
    1,234.5
    1735689600000
    UTC
    0.8801358034031463
    0.3848628334351346
    de22365f-0e32-4170-aa52-bc595c46c9ac
    243,93,74,108
    undefined
    undefined
    10
    ");
    guest.pass(Duration::from_millis(1500));
    let later = guest.get("/");
    assert!(later.contains("2025-01-01T00:00:01.500Z"), "{later}");
    assert!(later.contains("\n1500\n"), "{later}");
}

#[test]
fn the_first_and_the_hundredth_run_are_equal() {
    let engine = engine();
    let code = format!("let n = 0; export default {{ async fetch() {{ n++; {ALL} }} }};");
    let program = load(&engine, "a.js", &[("a.js", &code)]).unwrap();
    let run = || {
        let mut guest = Guest::with(&program, boot(3));
        (0..5).map(|_| common::digest(&guest.request("/").0)).collect::<Vec<_>>()
    };
    let first = run();
    for other in 0..100 {
        let mut guest = Guest::with(&program, boot(other % 9));
        guest.request("/");
        if other % 10 == 0 {
            assert_eq!(first, run(), "run {other}");
        }
    }
}

#[test]
fn random_numbers_differ_between_instances() {
    let engine = engine();
    let code = "export default { fetch: () => new Response(String(Math.random())) };";
    let program = load(&engine, "a.js", &[("a.js", code)]).unwrap();
    assert_ne!(Guest::with(&program, boot(1)).get("/"), Guest::with(&program, boot(2)).get("/"));
}

#[test]
fn the_digest_of_a_program_stands_for_all_of_its_files() {
    let engine = engine();
    let digest = |b: &str| {
        load(&engine, "a.js", &[("a.js", "import './b.js'; export default {};"), ("b.js", b)])
            .unwrap()
            .digest()
    };
    assert_eq!(digest("1;"), digest("1;"));
    assert_ne!(digest("1;"), digest("1; "));
}
