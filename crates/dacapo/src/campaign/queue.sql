-- What campaigns keep in a PostgreSQL database. It is run before anything else and changes nothing that is there.

CREATE TABLE IF NOT EXISTS dacapo_campaigns (
    -- Stands for the program, the scenario and the strategy.
    id text PRIMARY KEY,
    -- The same in full, as JSON.
    head text NOT NULL,
    begun timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS dacapo_ranges (
    campaign text NOT NULL REFERENCES dacapo_campaigns,
    first bigint NOT NULL,
    past bigint NOT NULL,
    -- Who makes its attempts, and until when that is believed without another sign of life.
    holder text,
    held_until timestamptz,
    done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (campaign, first)
);

CREATE TABLE IF NOT EXISTS dacapo_batches (
    campaign text NOT NULL,
    first bigint NOT NULL,
    -- Whoever sends a batch twice, because the answer was lost, has sent it once.
    holder text NOT NULL,
    number bigint NOT NULL,
    -- As a line in a file of results.
    line text NOT NULL,
    PRIMARY KEY (campaign, first, holder, number),
    FOREIGN KEY (campaign, first) REFERENCES dacapo_ranges
);

-- The same attempts once more, for whoever asks in SQL.
CREATE TABLE IF NOT EXISTS dacapo_failures (
    campaign text NOT NULL REFERENCES dacapo_campaigns,
    strategy text NOT NULL,
    attempt bigint NOT NULL,
    signature text NOT NULL,
    description text NOT NULL,
    PRIMARY KEY (campaign, strategy, attempt)
);
