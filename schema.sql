-- The whole schema of ChartInsight. PostgreSQL 15 or newer, no extensions.
--
-- The daemon runs this file with search_path on its mode's schema (`live` or `simulation`), block by block: a block
-- begins at a line `-- version N: what it brings`, and only blocks above schema_version run, all in one transaction.
-- Every statement may be repeated. Nothing of a block that was released is edited; a change is a new block.
--
-- By hand:  create schema live; set search_path to live; \i schema.sql
-- Every time is timestamptz; prices are whole won as traded; volumes are shares.

-- version 1: everything

create table if not exists schema_version (
    version integer primary key,
    applied_at timestamptz not null default now()
);

-- Candles. One table a timeframe, so that no row repeats its timeframe; columns from wide to narrow, so that a row
-- of a six-character symbol is 64 bytes and its key entry 24. "C" compares bytes: same order everywhere, and fast.
-- The partitions are made by the writer, before the rows: half-years of 5m, years of 30m and 1h.
create table if not exists candles_5m (
    ts timestamptz not null,
    volume bigint not null,
    open integer not null,
    high integer not null,
    low integer not null,
    close integer not null,
    final boolean not null,
    symbol text collate "C" not null,
    primary key (symbol, ts)
) partition by range (ts);

create table if not exists candles_30m (
    ts timestamptz not null,
    volume bigint not null,
    open integer not null,
    high integer not null,
    low integer not null,
    close integer not null,
    final boolean not null,
    symbol text collate "C" not null,
    primary key (symbol, ts)
) partition by range (ts);

create table if not exists candles_1h (
    ts timestamptz not null,
    volume bigint not null,
    open integer not null,
    high integer not null,
    low integer not null,
    close integer not null,
    final boolean not null,
    symbol text collate "C" not null,
    primary key (symbol, ts)
) partition by range (ts);

-- Forty years of a whole market are 13 million days: no partitions.
create table if not exists candles_1d (
    ts timestamptz not null,
    volume bigint not null,
    value bigint,
    open integer not null,
    high integer not null,
    low integer not null,
    close integer not null,
    final boolean not null,
    symbol text collate "C" not null,
    primary key (symbol, ts)
);

create table if not exists candles_1w (
    ts timestamptz not null,
    volume bigint not null,
    value bigint,
    open integer not null,
    high integer not null,
    low integer not null,
    close integer not null,
    final boolean not null,
    symbol text collate "C" not null,
    primary key (symbol, ts)
);

create or replace view candles (symbol, timeframe, ts, open, high, low, close, volume, value, final) as
select symbol, '5m'::text, ts, open, high, low, close, volume, null::bigint, final from candles_5m
union all
select symbol, '30m'::text, ts, open, high, low, close, volume, null::bigint, final from candles_30m
union all
select symbol, '1h'::text, ts, open, high, low, close, volume, null::bigint, final from candles_1h
union all
select symbol, '1d'::text, ts, open, high, low, close, volume, value, final from candles_1d
union all
select symbol, '1w'::text, ts, open, high, low, close, volume, value, final from candles_1w;

comment on view candles is
    'Every candle: (symbol, timeframe, ts) is unique. Name the timeframe and the symbol in a query: then one table''s key answers it.';
comment on column candles.symbol is 'Kiwoom stock code, six characters; a text, never a number';
comment on column candles.timeframe is '5m, 30m, 1h, 1d or 1w';
comment on column candles.ts is
    'When the candle opens. Day: 00:00 KST of the trading day. Week: 00:00 KST of its first trading day';
comment on column candles.open is 'Won, as traded (raw); so are high, low and close';
comment on column candles.volume is 'Shares';
comment on column candles.value is 'Won traded; null where Kiwoom gives none (minute charts)';
comment on column candles.final is 'The period has ended and settled, and was read after that; else it may still change';

-- Corporate actions, applied on reading.
create table if not exists adjustments (
    symbol text collate "C" not null,
    ex_date date not null,
    price_factor numeric not null check (price_factor > 0),
    volume_factor numeric not null check (volume_factor > 0),
    evidence jsonb not null default '{}',
    found_at timestamptz not null default now(),
    primary key (symbol, ex_date)
);
comment on table adjustments is
    'The ledger of corporate actions: candles of days before ex_date are multiplied by these factors to compare with later ones (a 1:50 split has price_factor 0.02, volume_factor 50)';

create or replace aggregate product (numeric) (sfunc = numeric_mul, stype = numeric, initcond = '1', parallel = safe);

drop view if exists candles_adjusted; -- a later block gives its columns other types
create view candles_adjusted (
    symbol, timeframe, ts, open, high, low, close, volume, value, final
) as
select
    c.symbol, c.timeframe, c.ts,
    round(c.open * a.price)::integer,
    round(c.high * a.price)::integer,
    round(c.low * a.price)::integer,
    round(c.close * a.price)::integer,
    round(c.volume * a.volume)::bigint,
    c.value, c.final
from candles c
cross join lateral (
    select product(price_factor) as price, product(volume_factor) as volume
    from adjustments
    where symbol = c.symbol and ex_date > (c.ts at time zone 'Asia/Seoul')::date
) a;
comment on view candles_adjusted is
    'candles in the measure of today: prices (rounded to won) and volumes multiplied by the factors of every later corporate action';

create table if not exists revisions (
    symbol text collate "C" not null,
    timeframe text not null,
    ts timestamptz not null,
    changed_at timestamptz not null,
    old_open integer not null,
    old_high integer not null,
    old_low integer not null,
    old_close integer not null,
    old_volume bigint not null,
    old_value bigint,
    new_open integer not null,
    new_high integer not null,
    new_low integer not null,
    new_close integer not null,
    new_volume bigint not null,
    new_value bigint,
    cause text not null
);
create index if not exists revisions_series on revisions (symbol, timeframe, ts);
comment on table revisions is 'Every change of the values of a final candle';
comment on column revisions.cause is 'reread: a later read of the same candle gave other values';

create table if not exists coverage (
    symbol text collate "C" not null,
    timeframe text not null,
    from_ts timestamptz not null,
    to_ts timestamptz not null,
    check (from_ts < to_ts),
    primary key (symbol, timeframe, from_ts)
);
comment on table coverage is 'Ranges [from_ts, to_ts) whose candles are all here and final; they never touch or overlap';

create table if not exists stocks (
    symbol text collate "C" primary key,
    name text not null,
    market text not null,
    listed_shares bigint not null,
    last_price bigint not null,
    market_cap bigint not null,
    state text not null,
    order_warning text not null,
    nxt_enabled boolean not null,
    listed_on date,
    delisted_on date,
    tracked boolean not null default false,
    updated_at timestamptz not null
);
comment on table stocks is 'Every issue that is or was listed since the first look; a row is never deleted';
comment on column stocks.market is 'KOSPI or KOSDAQ';
comment on column stocks.last_price is 'Previous close in won';
comment on column stocks.market_cap is 'Listed shares times the previous close, in won';
comment on column stocks.delisted_on is 'The KST day on which it was first missing from the list; null while listed';
comment on column stocks.tracked is 'Whether its candles are collected';
comment on column stocks.updated_at is 'When anything of this row last changed';

create table if not exists tracking (
    symbol text collate "C" primary key,
    tracked boolean not null,
    changed_at timestamptz not null,
    changed_by text not null
);
comment on table tracking is
    'Symbols that a person added to the tracked ones or removed from them; it wins over the configuration';

create table if not exists seals (
    symbol text collate "C" not null,
    session date not null,
    state text not null,
    evidence jsonb not null default '{}',
    primary key (symbol, session)
);
comment on table seals is 'The proof that a symbol''s trading day is complete, or what was found instead';

create table if not exists gaps (
    symbol text collate "C" not null,
    timeframe text not null,
    from_ts timestamptz not null,
    to_ts timestamptz not null,
    reason text not null,
    since timestamptz not null,
    primary key (symbol, timeframe, from_ts)
);
comment on table gaps is 'What should be here and is not: [from_ts, to_ts), why, and since when it is known';

create table if not exists quarantine (
    received_at timestamptz not null,
    api_id text not null,
    symbol text not null,
    reason text not null,
    payload jsonb not null
);
create index if not exists quarantine_received_at on quarantine (received_at);
comment on table quarantine is 'Rows of answers that could not be candles, as they came';

create table if not exists jobs (
    id bigint generated always as identity primary key,
    kind text not null,
    state text not null,
    requested_by text not null,
    params jsonb not null default '{}',
    progress jsonb not null default '{}',
    error text,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz
);
create index if not exists jobs_unfinished on jobs (state) where finished_at is null;
comment on table jobs is 'The run history: what was done, by whose wish, with what result';
comment on column jobs.state is 'running, done, failed, cancelled or interrupted (the daemon was killed)';

insert into schema_version (version) values (1) on conflict do nothing;

-- version 2: the ledger of corporate actions is filled; candles_adjusted is right in weeks too, and faster; learned days; proofs

create table if not exists adjustment_checks (
    symbol text collate "C" primary key,
    complete_to date not null,
    checked_at timestamptz not null,
    suspicion jsonb
);
comment on table adjustment_checks is
    'Up to which day the ledger of a symbol was proved complete against the adjusted chart, and when';
comment on column adjustment_checks.suspicion is
    'Why an action is supposed that the adjusted chart does not confirm so far; null where there is none';

create or replace function following_monday (ts timestamptz) returns timestamptz language sql stable as
$$ select (date_trunc('week', ts at time zone 'Asia/Seoul') + interval '7 days') at time zone 'Asia/Seoul' $$;
comment on function following_monday is '00:00 KST of the Monday after an instant';

create or replace view adjustment_factors (symbol, from_ts, to_ts, price, volume) as
select
    symbol,
    coalesce(lead(starts) over newest_first, '-infinity'),
    starts,
    product(price_factor) over newest_first,
    product(volume_factor) over newest_first
from (
    select symbol, ex_date::timestamp at time zone 'Asia/Seoul' as starts, price_factor, volume_factor
    from adjustments
) a
window newest_first as (partition by symbol order by starts desc);
comment on view adjustment_factors is
    'What candles that open in [from_ts, to_ts) are multiplied by; those after a symbol''s last action by nothing';

-- A week that holds an ex-date is made of its adjusted days, since its raw candle mixes two measures; where the
-- first of these days is not stored the week is left out, rather than shown wrong. One join and no union on top:
-- then a query for the newest candles reads a key backwards and stops.
drop view if exists candles_adjusted; -- a later block gives its columns other types
create view candles_adjusted (
    symbol, timeframe, ts, open, high, low, close, volume, value, final
) as
select
    c.symbol, c.timeframe, c.ts,
    coalesce(d.open, round(c.open * f.price)::integer, c.open),
    coalesce(d.high, round(c.high * f.price)::integer, c.high),
    coalesce(d.low, round(c.low * f.price)::integer, c.low),
    coalesce(d.close, round(c.close * f.price)::integer, c.close),
    coalesce(d.volume, round(c.volume * f.volume)::bigint, c.volume),
    c.value, c.final
from candles c
left join adjustment_factors f on f.symbol = c.symbol and c.ts >= f.from_ts and c.ts < f.to_ts
left join lateral (
    select
        min(e.ts) as first_ts,
        (array_agg(coalesce(round(e.open * g.price)::integer, e.open) order by e.ts))[1] as open,
        max(coalesce(round(e.high * g.price)::integer, e.high)) as high,
        min(coalesce(round(e.low * g.price)::integer, e.low)) as low,
        (array_agg(coalesce(round(e.close * g.price)::integer, e.close) order by e.ts desc))[1] as close,
        sum(coalesce(round(e.volume * g.volume)::bigint, e.volume))::bigint as volume
    from candles_1d e
    left join adjustment_factors g on g.symbol = e.symbol and e.ts >= g.from_ts and e.ts < g.to_ts
    where c.timeframe = '1w' and f.to_ts < following_monday(c.ts)
      and e.symbol = c.symbol and e.ts >= c.ts and e.ts < following_monday(c.ts)
) d on true
where c.timeframe <> '1w' or f.to_ts is null or f.to_ts >= following_monday(c.ts) or d.first_ts = c.ts;
comment on view candles_adjusted is
    'candles in the measure of today: prices and volumes times the factors of every later corporate action, rounded half up to a won and a share';

-- What the market showed of single days.
create table if not exists learned_days (
    day date primary key,
    kind text not null check (kind in ('open', 'closed')),
    evidence jsonb not null default '{}',
    learned_at timestamptz not null,
    confirmed_at timestamptz
);
comment on table learned_days is
    'Days of which the market showed other than the calendar says: trading on a day off, or silence on a trading day';
comment on column learned_days.confirmed_at is
    'When the charts of a later day said the same; null while it is believed for now';

-- What proves a session.
create table if not exists chains (
    symbol text collate "C" not null,
    session date not null,
    state text not null,
    rows integer not null,
    volume bigint not null,
    evidence jsonb not null default '{}',
    read_at timestamptz not null,
    primary key (symbol, session)
);
comment on table chains is
    'Whether the running volumes of a session chain from one 5m candle to the next, as its last read showed';
comment on column chains.state is 'proved, broken, or unproved (the broker gave no running volume)';
comment on column chains.read_at is 'When a read last showed it otherwise than before';

alter table seals add column if not exists checked_at timestamptz;
comment on column seals.state is
    'sealed (proved complete), unproved (nothing contradicts, nothing proves), broken (something is missing or two timeframes contradict)';
comment on column seals.checked_at is 'When it was last looked at';
create index if not exists seals_unsealed on seals (symbol, session) where state <> 'sealed';

create index if not exists revisions_changed_at on revisions (changed_at);
comment on column revisions.cause is
    'Why the candle was read again: reread (a poll, a backfill), seal (the proof failed), verify (a person asked)';

insert into schema_version (version) values (2) on conflict do nothing;

-- version 3: gaps carry their evidence

alter table gaps add column if not exists evidence jsonb not null default '{}';
update gaps set reason = 'unknown', evidence = jsonb_build_object('told', reason) where reason like '% %'; -- words of before
comment on column gaps.reason is
    'not_fetched_yet, paused, outage, blocked, broker_error, quarantined, halted, before_listing, beyond_retention, unknown; broken and unproved: it is stored, but the session has no seal';
comment on column gaps.evidence is 'What the reason rests on: what the broker said last, how often, when it is asked again';

insert into schema_version (version) values (3) on conflict do nothing;

-- version 4: how far back a ledger of corporate actions is complete

alter table adjustment_checks add column if not exists complete_from date;
comment on column adjustment_checks.complete_from is
    'After which day the ledger was proved complete: where days or weeks are covered before, it is looked at anew';

insert into schema_version (version) values (4) on conflict do nothing;

-- version 5: a log of what changed in the candles, for programs that derive something from them

create table if not exists change_counter (
    only_row boolean primary key default true check (only_row),
    last bigint not null
);
insert into change_counter (last) values (0) on conflict do nothing;
comment on table change_counter is
    'The last number of candle_changes. Its row stays locked until the commit, so numbers become visible in their order';

create table if not exists candle_changes (
    number bigint primary key,
    at timestamptz not null,
    kind text not null check (kind in ('new', 'revised', 'adjusted', 'learned_day')),
    symbol text collate "C",
    timeframe text,
    from_ts timestamptz not null,
    to_ts timestamptz not null
);
create index if not exists candle_changes_series on candle_changes (symbol, timeframe, number);
comment on table candle_changes is
    'What a program that derives results from candles has to compute again; a reader keeps the last number it has seen';
comment on column candle_changes.at is 'When the change was committed, by the daemon''s clock';
comment on column candle_changes.kind is
    'new: candles became final; revised: final candles changed; adjusted: a corporate action was found or corrected; learned_day: the calendar changed';
comment on column candle_changes.symbol is 'Null: every symbol';
comment on column candle_changes.timeframe is 'Null: every timeframe';
comment on column candle_changes.to_ts is 'The ts of the last candle concerned; it is included';

insert into schema_version (version) values (5) on conflict do nothing;

-- version 6: what the analysis found: points, trends, patterns; screens; who was in the universe

create or replace function refuse_change () returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % is refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation',
        hint = 'A correction is a new row. To remove everything, drop the schema.';
end
$$;
comment on function refuse_change is 'What was known at a moment stays written down as it was';

create table if not exists analysis_generations (
    symbol text collate "C" not null,
    timeframe text not null,
    analyser text not null,
    generation integer not null,
    valid_from timestamptz not null,
    cause text not null,
    recorded_at timestamptz not null,
    primary key (symbol, timeframe, analyser, generation)
);
comment on table analysis_generations is
    'Each time that changed candles changed results: rows confirmed at or after valid_from count from the newest generation';
comment on column analysis_generations.valid_from is
    'The confirmed_at (market time) from which rows of older generations no longer count';
comment on column analysis_generations.cause is 'first, revision, adjustment or calendar';

create table if not exists points (
    symbol text collate "C" not null,
    timeframe text not null,
    ts timestamptz not null,
    kind text not null check (kind in ('peak', 'valley')),
    grade text not null check (grade in ('primary', 'secondary')),
    price integer not null,
    confirmed_at timestamptz not null,
    cause text not null,
    analyser text not null,
    data_id text not null,
    generation integer not null,
    recorded_at timestamptz not null,
    primary key (symbol, timeframe, analyser, generation, ts, kind, grade)
);
comment on table points is 'Peaks and valleys, each from the moment at which it could first be known; append-only';
comment on column points.price is 'Won, as traded on the day of ts';
comment on column points.confirmed_at is 'The close of the candle that confirmed the point, by the calendar';
comment on column points.recorded_at is 'When this store wrote the row';

create table if not exists trends (
    symbol text collate "C" not null,
    timeframe text not null,
    from_ts timestamptz not null,
    trend text not null check (trend in ('up', 'down', 'sideways')),
    confirmed_at timestamptz not null,
    analyser text not null,
    data_id text not null,
    generation integer not null,
    recorded_at timestamptz not null,
    primary key (symbol, timeframe, analyser, generation, from_ts)
);
comment on table trends is 'Each change of the trend; before the first one every series is sideways; append-only';

create table if not exists pattern_events (
    pattern_id text not null,
    symbol text collate "C" not null,
    timeframe text not null,
    kind text not null,
    state text not null check (state in ('forming', 'completed', 'failed', 'expired')),
    at timestamptz not null,
    confirmed_at timestamptz not null,
    points jsonb not null,
    levels jsonb not null,
    evidence jsonb not null,
    analyser text not null,
    data_id text not null,
    generation integer not null,
    recorded_at timestamptz not null,
    primary key (symbol, timeframe, analyser, generation, pattern_id, state)
);
comment on table pattern_events is 'Each state that a pattern entered; append-only';
comment on column pattern_events.at is 'Start of the candle that made the state; known at its close, confirmed_at';
comment on column pattern_events.levels is 'Won, as traded on the day of at';

create or replace view current_pattern_events as
select e.* from pattern_events e
where not exists (
    select from analysis_generations g
    where g.symbol = e.symbol and g.timeframe = e.timeframe and g.analyser = e.analyser
      and g.generation > e.generation and g.valid_from <= e.confirmed_at
);
comment on view current_pattern_events is 'Events that count by what is known now';

create or replace view patterns as
select distinct on (symbol, timeframe, analyser, pattern_id) *
from current_pattern_events
order by symbol, timeframe, analyser, pattern_id, confirmed_at desc, (state = 'forming');
comment on view patterns is 'The latest state of each pattern';

create or replace view current_points as
select p.* from points p
where not exists (
    select from analysis_generations g
    where g.symbol = p.symbol and g.timeframe = p.timeframe and g.analyser = p.analyser
      and g.generation > p.generation and g.valid_from <= p.confirmed_at
);
comment on view current_points is 'Points that count by what is known now';

create or replace view current_trends as
select t.* from trends t
where not exists (
    select from analysis_generations g
    where g.symbol = t.symbol and g.timeframe = t.timeframe and g.analyser = t.analyser
      and g.generation > t.generation and g.valid_from <= t.confirmed_at
);
comment on view current_trends is 'Trend changes that count by what is known now';

create table if not exists analysis_state (
    symbol text collate "C" not null,
    timeframe text not null,
    analyser text not null,
    data_id text,
    analysed_to timestamptz,
    state text not null check (state in ('due', 'done', 'too_short', 'held', 'failed')),
    reason text not null default '',
    analysed_at timestamptz,
    from_start boolean not null default true,
    cause text not null default 'first',
    carried bytea,
    primary key (symbol, timeframe, analyser)
) with (fillfactor = 50);
comment on table analysis_state is 'How far the analysis of each series is, and what is to be done again';
comment on column analysis_state.analysed_to is 'The ts (start) of the last final candle taken in';
comment on column analysis_state.from_start is
    'While due: whether candles that were taken in have changed, so that the series is analysed from its beginning';
comment on column analysis_state.cause is 'While due from the start: why (revision, adjustment, calendar)';
comment on column analysis_state.carried is 'The analyser''s state after analysed_to, for the next candle';

create table if not exists change_cursors (
    reader text primary key,
    number bigint not null
);
comment on table change_cursors is 'The number of candle_changes that a derived result has acted on';

create table if not exists universe_days (
    symbol text collate "C" not null,
    day date not null,
    member boolean not null,
    reason text not null default '',
    recorded_at timestamptz not null,
    primary key (symbol, day)
);
comment on table universe_days is
    'Each change of membership: a symbol is in the universe on a day if its last row on or before it says member';
comment on column universe_days.reason is
    'Why it is left out: too_small, spac, fund, halted, administrative, delisted; empty for a member';

create table if not exists screens (
    name text not null,
    version integer not null,
    expression jsonb not null,
    created_at timestamptz not null,
    primary key (name, version)
);
comment on table screens is 'Stored screens; a change is a new version, an expression null removes the screen';

create table if not exists screen_runs (
    id bigint generated always as identity primary key,
    name text not null,
    version integer not null,
    session date not null,
    code_id text not null,
    data_id text not null,
    counts jsonb not null,
    exceptions jsonb not null default '[]',
    created_at timestamptz not null
);
create index if not exists screen_runs_name on screen_runs (name, version, session);
comment on table screen_runs is 'Runs of stored screens over the universe of one session';

create table if not exists screen_matches (
    run_id bigint not null references screen_runs (id),
    symbol text collate "C" not null,
    score double precision,
    evidence jsonb not null,
    since timestamptz not null,
    is_new boolean not null,
    primary key (run_id, symbol)
);
comment on table screen_matches is 'What a run found';
comment on column screen_matches.since is 'The first candle of the unbroken stretch of matches';
comment on column screen_matches.is_new is 'Whether the run before did not have it';

do $$
declare
    name text;
begin
    foreach name in array array[
        'analysis_generations', 'points', 'trends', 'pattern_events', 'screens', 'screen_runs', 'screen_matches'
    ] loop
        execute format(
            'create or replace trigger append_only before update or delete on %I for each row execute function refuse_change()',
            name
        );
        execute format(
            'create or replace trigger append_only_truncate before truncate on %I for each statement execute function refuse_change()',
            name
        );
    end loop;
end
$$;

insert into schema_version (version) values (6) on conflict do nothing;

-- version 7: which store this is and who writes it; what is covered is tied to rows; adjusted prices of any size

create table if not exists store (
    mode text not null,
    id uuid not null default gen_random_uuid(),
    made_at timestamptz not null default now(),
    sessions bigint not null default 0,
    writer text,
    writer_pid integer,
    writer_since timestamptz,
    is_only boolean primary key default true check (is_only)
);
comment on table store is 'One row: which store this is, and whose session may write it';
comment on column store.mode is 'The schema that it was made in, live or simulation: the two never mix';
comment on column store.sessions is 'How many sessions have written; a smaller number than before is an older database';
comment on column store.writer is 'The daemon whose session writes; it does so while that session lives';
comment on column store.writer_since is 'backend_start of that session in pg_stat_activity';
insert into store (mode) values (current_schema()) on conflict do nothing;

create or replace function candle_checksum (
    ts timestamptz, open integer, high integer, low integer, close integer, volume bigint, value bigint
) returns bigint language sql stable parallel safe as $$
select date_part('epoch', ts)::bigint / 60 * (
    (open::bigint * 179424673 + high::bigint * 15485863 + low::bigint * 32452843 + close::bigint * 49979687
    + volume % 2147483647 * 67867967 + coalesce(value % 2147483647 + 1, 0) * 86028121) % 2147483647
) % 2147483647
$$;
comment on function candle_checksum is
    'A number that depends on everything a candle says; sums of it do not depend on the order of candles';

create table if not exists coverage_sums (
    symbol text collate "C" not null,
    timeframe text not null,
    from_ts timestamptz not null,
    rows integer not null,
    checksum bigint not null,
    primary key (symbol, timeframe, from_ts)
) with (fillfactor = 70);
comment on table coverage_sums is
    'The final candles of a piece of the calendar as the daemon wrote them; other rows than these are found out and read again';
comment on column coverage_sums.from_ts is
    'Where the piece begins, UTC: a month of 5m, a year of 30m, 1h and 1d, ten years of 1w';
comment on column coverage_sums.checksum is 'Sum of candle_checksum over the final candles of the piece';

insert into coverage_sums (symbol, timeframe, from_ts, rows, checksum)
select symbol, timeframe, from_ts, count(*), sum(candle_checksum(ts, open, high, low, close, volume, value))
from (
    select *, date_trunc(
        case timeframe when '5m' then 'month' when '1w' then 'decade' else 'year' end, ts, 'UTC'
    ) as from_ts
    from candles where final
) c
where not exists (select from coverage_sums)
group by symbol, timeframe, from_ts;

drop view if exists candles_adjusted;
create view candles_adjusted (
    symbol, timeframe, ts, open, high, low, close, volume, value, final
) as
select
    c.symbol, c.timeframe, c.ts,
    coalesce(d.open, round(c.open * f.price)::bigint, c.open),
    coalesce(d.high, round(c.high * f.price)::bigint, c.high),
    coalesce(d.low, round(c.low * f.price)::bigint, c.low),
    coalesce(d.close, round(c.close * f.price)::bigint, c.close),
    coalesce(d.volume, round(c.volume * f.volume)::bigint, c.volume),
    c.value, c.final
from candles c
left join adjustment_factors f on f.symbol = c.symbol and c.ts >= f.from_ts and c.ts < f.to_ts
left join lateral (
    select
        min(e.ts) as first_ts,
        (array_agg(coalesce(round(e.open * g.price)::bigint, e.open) order by e.ts))[1] as open,
        max(coalesce(round(e.high * g.price)::bigint, e.high)) as high,
        min(coalesce(round(e.low * g.price)::bigint, e.low)) as low,
        (array_agg(coalesce(round(e.close * g.price)::bigint, e.close) order by e.ts desc))[1] as close,
        sum(coalesce(round(e.volume * g.volume)::bigint, e.volume))::bigint as volume
    from candles_1d e
    left join adjustment_factors g on g.symbol = e.symbol and e.ts >= g.from_ts and e.ts < g.to_ts
    where c.timeframe = '1w' and f.to_ts < following_monday(c.ts)
      and e.symbol = c.symbol and e.ts >= c.ts and e.ts < following_monday(c.ts)
) d on true
where c.timeframe <> '1w' or f.to_ts is null or f.to_ts >= following_monday(c.ts) or d.first_ts = c.ts;
comment on view candles_adjusted is
    'candles in the measure of today: prices and volumes times the factors of every later corporate action, rounded half up to a won and a share';

insert into schema_version (version) values (7) on conflict do nothing;

-- version 8: notes whose figures are rows, and the budget of requests to a model

create table if not exists notes (
    id bigint generated always as identity primary key,
    prompt text not null,
    prompt_hash text not null,
    provider text not null,
    model text not null,
    symbols text[] not null,
    language text not null,
    request jsonb,
    answer jsonb not null,
    claims_kept integer not null,
    claims_struck jsonb not null,
    usage jsonb not null,
    data_id text not null,
    created_at timestamptz not null
);
create index if not exists notes_same on notes (prompt_hash, data_id);
create index if not exists notes_symbols on notes using gin (symbols);
comment on table notes is 'What was written about stocks; every figure in it is a fact that names its rows';
comment on column notes.request is 'What was sent to the provider, without a key; null where no model was asked';
comment on column notes.claims_struck is 'Sentences of the model that were not shown, by reason; their words are not kept';

create or replace trigger append_only before update or delete on notes
    for each row execute function refuse_change();
create or replace trigger append_only_truncate before truncate on notes
    for each statement execute function refuse_change();

create table if not exists ai_budget (
    day date primary key,
    used integer not null default 0,
    closed_until timestamptz
);
comment on table ai_budget is 'Requests to the model by Korean day; each is taken before it is sent';
comment on column ai_budget.closed_until is 'The provider wants no request before';

insert into schema_version (version) values (8) on conflict do nothing;

-- version 9: what people say of stretches of charts

create table if not exists labels (
    id bigint generated always as identity primary key,
    symbol text collate "C" not null,
    timeframe text not null,
    from_ts timestamptz not null,
    to_ts timestamptz not null check (to_ts >= from_ts),
    kind text not null,
    points jsonb not null default '[]',
    verdict text not null check (verdict in ('own', 'agree', 'disagree', 'withdrawn')),
    pattern_id text,
    note text not null default '',
    author text not null,
    created_at timestamptz not null,
    seen_until timestamptz not null check (seen_until >= to_ts),
    data_id text not null,
    replaces bigint unique references labels (id)
);
create index if not exists labels_symbol on labels (symbol, id);
comment on table labels is 'What people say of stretches of charts; append-only, a correction is a new row that replaces one';
comment on column labels.from_ts is 'Start of the first candle of the stretch; to_ts: of the last one';
comment on column labels.points is 'Pairs of a candle''s start in seconds and won as traded on that day';
comment on column labels.verdict is 'own: found by the person; agree, disagree: with pattern_id; withdrawn: no longer said';
comment on column labels.seen_until is 'Start of the last candle in sight: later than to_ts is hindsight';
comment on column labels.data_id is 'The candles when it was said';
comment on column labels.replaces is 'The version before; each has one next version at most';

create or replace trigger append_only before update or delete on labels
for each row execute function refuse_change();
create or replace trigger append_only_truncate before truncate on labels
for each statement execute function refuse_change();

insert into schema_version (version) values (9) on conflict do nothing;

-- version 10: the watchlist

create table if not exists watch_groups (
    name text collate "C" primary key,
    place integer not null,
    symbols text[] not null,
    changed_at timestamptz not null
);
comment on table watch_groups is 'Groups of the watchlist in their order; empty: nobody has made one, and the targets are shown';
comment on column watch_groups.name is 'Empty: the group that every screen calls the watchlist in its own language';
comment on column watch_groups.symbols is 'Stock codes in their owner''s order';

insert into schema_version (version) values (10) on conflict do nothing;

-- version 11: the constants of the view candles have names, which a distributed database needs on its other nodes

create or replace view candles (symbol, timeframe, ts, open, high, low, close, volume, value, final) as
select symbol, '5m'::text as timeframe, ts, open, high, low, close, volume, null::bigint as value, final from candles_5m
union all
select symbol, '30m'::text as timeframe, ts, open, high, low, close, volume, null::bigint as value, final from candles_30m
union all
select symbol, '1h'::text as timeframe, ts, open, high, low, close, volume, null::bigint as value, final from candles_1h
union all
select symbol, '1d'::text as timeframe, ts, open, high, low, close, volume, value, final from candles_1d
union all
select symbol, '1w'::text as timeframe, ts, open, high, low, close, volume, value, final from candles_1w;

insert into schema_version (version) values (11) on conflict do nothing;

-- version 12: alarms that people set

create table if not exists alarms (
    id bigint generated always as identity primary key,
    kind text not null,
    symbol text collate "C" not null default '',
    level bigint not null default 0,
    is_multiple boolean not null default false,
    screen text not null default '',
    set_on date not null,
    created_at timestamptz not null,
    created_by text not null,
    met boolean,
    seen_day date,
    seen_high bigint,
    seen_low bigint,
    fired_on date,
    fired_at timestamptz,
    fired_words text not null default '',
    told_at timestamptz
);
comment on table alarms is 'What people want to be told: a price that crosses a level, a move, trading, a screen''s new match';
comment on column alarms.symbol is 'Empty: any stock of the screen';
comment on column alarms.level is 'Won, hundredths of a percent, or shares; of a multiple hundredths of the usual';
comment on column alarms.set_on is 'The Korean day whose measure a price level is in: a later split moves it';
comment on column alarms.met is 'Of a price alarm, whether the last price was on the far side; null: not known yet';
comment on column alarms.fired_on is 'The session in which it fired last: once a session at most';
comment on column alarms.told_at is 'When people were told of the last firing; earlier than fired_at: not yet';

insert into schema_version (version) values (12) on conflict do nothing;

-- version 13: each job keeps its slice of the log

alter table jobs add column if not exists log text[];
alter table jobs add column if not exists log_left_out integer not null default 0;
comment on column jobs.log is 'The latest lines of the log that are about this job, each a JSON object, oldest first; secrets were taken out';
comment on column jobs.log_left_out is 'Older lines of it that had no room';

insert into schema_version (version) values (13) on conflict do nothing;

-- version 14: the ledger of corporate actions is tied to what was found

alter table adjustment_checks add column if not exists ledger text;
comment on column adjustment_checks.ledger is
    'A checksum of the symbol''s rows in adjustments at the last look: where they differ, all of its charts are compared again';

insert into schema_version (version) values (14) on conflict do nothing;
