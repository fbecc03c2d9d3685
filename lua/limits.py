"""Times and bounds the scripts work with. A script names what it uses in its ``CONST`` line."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Defaults, stated once. Every process of one service must use the same values."""

    sample_k: int = 20  # members of a pool that are looked at for a job
    idle_k: int = 1  # of those without work, which are looked at first
    reservation_ttl_ms: int = 5_000  # from the choice of a node until its process takes the job
    ack_timeout_ms: int = 2_000  # only for nodes that acknowledge
    job_timeout_ms: int = 60_000  # from then until the result
    job_life_ms: int = 180_000  # of all its tries together
    wait_limit_ms: int = 10_000  # in line, unless the client says else
    max_wait_ms: int = 60_000  # in line, whatever it says
    priority_step_ms: int = 2_000  # that one step of priority goes before the next
    queue_jobs: int = 10_000  # that wait with one requirement
    queues: int = 1_000  # requirements with waiting jobs, in a cell
    session_jobs: int = 50  # of one session that wait
    most_live_bytes: int = 0  # payloads of live jobs, in a cell; 0: 25 % of maxmemory, or 1 GiB
    alert_entries: int = 500_000  # events of a cell that are not in SQL yet
    most_entries: int = 2_000_000  # the same; nothing new is accepted then
    brake_ttl_ms: int = 5_000  # how long a limit of the cell holds, unless it is seen again
    retry_after_ms: int = 5_000  # when nothing is known of how fast slots become free
    pace_ttl_ms: int = 60_000  # how long the time between a pool's results is remembered
    avoid_ms: int = 1_000  # a waiting job's wish to avoid a node holds so long
    stale_ms: int = 45_000  # without a heartbeat: the node is lost
    grace_ms: int = 2_000  # from the loss of a node until its jobs go elsewhere
    lonely_grace_ms: int = 20_000  # when nobody else can serve the jobs of a lost node
    warmup_ms: int = 60_000  # for a new node to have its core types ready; then it is degraded
    lease_ms: int = 2_000  # without a renewal: the process is lost
    stall_ms: int = 2_000  # a reaper pause that means Redis stood still, not the nodes
    stall_hold_ms: int = 5_000  # then nodes and processes are not lost for so long
    claim_ms: int = 1_000  # a restored job waits this long for the node that holds it
    resume_window_ms: int = 30_000  # a session waits so long for its client to come back
    kept_answers: int = 400  # of one session that are remembered for its return
    quiet_ms: int = 10_000  # a node without any work so long has lost what it held
    argument_bytes: int = 8_192  # a value up to that size is an argument of its script
    payload_ttl_ms: int = 200_000  # what the node is sent is kept
    result_ttl_ms: int = 300_000  # what the node answered is kept
    final_ttl_ms: int = 600_000  # an ended job and its request id are kept
    inline_bytes: int = 262_144  # larger values go beside the scripts' connection
    partial_bytes: int = 8_192  # a longer partial text is only a sign of work
    self_arbitrated_capacity: int = 8  # slots of a node with `max_concurrent_jobs: 0`
    mailbox_length: int = 10_000  # messages to a process that are kept, about
    sweep_ms: int = 1_000  # between two looks at one queue for nodes that became free unnoticed
    budget_ms: int = 10_000  # in this time a pool's failed jobs are tried again as often as
    budget_percent: int = 20  # so many of its jobs that ended, and
    budget_retries: int = 10  # so many more
    charge_ms: int = 60_000  # a session's failures are charged to nodes once in this time
    probe_ms: int = 10_000  # a breaker stays open; twice as long each time, up to the next
    longest_probe_ms: int = 300_000  # of all
    stranger_ttl_ms: int = 86_400_000  # what is found under our prefix and is none of ours
    pairing_code_ms: int = 300_000  # a code may be used
    known_code_ms: int = 86_400_000  # so long a used one is no guess: clients send it again
    guess_window_ms: int = 60_000  # in this time so many wrong pairing codes
    guesses_of_one: int = 10  # may come from one address
    guesses_of_all: int = 100  # and from all of them
    swap_window_ms: int = 60_000  # in this time a node's connection is replaced so often, from
    max_swaps: int = 3  # other addresses too: then two agents have one id, and the next is refused
