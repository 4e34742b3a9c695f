# The chores by short names; each is one command that can be typed without just.

# what a build needs and cargo does not bring
setup:
    cargo xtask setup

# all tests
test *FILTER:
    cargo xtask test {{FILTER}}

# the rules of the house
tidy:
    cargo xtask tidy

# simulate a project: just sim examples/bank --seeds 100
sim *ARGS:
    cargo xtask run --release -- sim {{ARGS}}

# everything that must hold before a change goes in
ci:
    .ci/run

# measure; just bench NAME for one
bench *FILTER:
    cargo xtask setup
    cargo bench --package dacapo-benches -- {{FILTER}}

# how soon planted bugs are found: just scoreboard --bug lost-update --campaigns 30
scoreboard *ARGS:
    cargo run --release --quiet --package dacapo-scoreboard -- {{ARGS}}

# the book, into target/book
docs:
    mdbook build docs --dest-dir ../target/book

# the same modules in npm's workerd and in dacapo: do they observe the same?
oracle *FILTER:
    cargo xtask oracle {{FILTER}}

# feed a target with bytes until it breaks: just fuzz schedule -max_total_time=60
fuzz NAME *ARGS:
    cargo run --quiet --package dacapo-fuzz-targets --bin corpus -- {{NAME}} fuzz/corpus/{{NAME}}
    cargo +nightly fuzz run --fuzz-dir fuzz --sanitizer none {{NAME}} -- -max_len=16384 {{ARGS}}
