#!/usr/bin/env bash
# Two nodes of one core each on this machine, and a study on them. Ends the nodes that it started, and no others.
#
#     PYTHON=.venv/bin/python cluster/examples/two_nodes.sh [more options of tuner.run]
#
# PORT (6399) and the three after it must be free. Tried on 2026-11-25 with Ray 2.60 on Linux: docs/log.md.
set -euo pipefail
checkout=$(cd "$(dirname "$0")/../.." && pwd)
python=$(command -v "${PYTHON:-$checkout/.venv/bin/python}")
[[ $python == /* ]] || python=$PWD/$python
port=${PORT:-6399}
RAY_AUTH_TOKEN=$("$python" -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN  # whoever reaches the ports without it can do nothing
elsewhere=$(mktemp -d)                     # the nodes start where no checkout is: the code has to be shipped
nodes=()
trap 'kill "${nodes[@]}" 2> /dev/null || true; wait; rm -r "$elsewhere"' EXIT

node() { # name, options of ray start
    local log=$elsewhere/$1.log
    (cd "$elsewhere" && exec env -u PYTHONPATH "$python" -m ray.scripts.scripts start --block --num-cpus=1 \
        --disable-usage-stats "${@:2}") > "$log" 2>&1 &
    nodes+=($!)
    until grep -qs "Ray runtime started" "$log"; do
        kill -0 $! 2> /dev/null || { cat "$log" >&2; exit 1; }
        sleep 0.5
    done
}
node head --head --port="$port" --include-dashboard=false --ray-client-server-port=$((port + 1)) \
    --dashboard-agent-listen-port=$((port + 2))
node second --address="127.0.0.1:$port" --dashboard-agent-listen-port=$((port + 3))

cd "$checkout"
"$python" -m tuner.run --space dlinear --dataset synthetic --horizon 12 --trials 4 --epochs 2 \
    --set train.windows_per_epoch=200 --address "127.0.0.1:$port" "$@"
