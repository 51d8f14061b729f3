#!/usr/bin/env bash
# A study on the nodes of one Slurm job: sbatch cluster/examples/slurm.sh, from the checkout, which all nodes see.
# NOT TRIED: no Slurm was at hand. Only its syntax was checked (bash -n).
#SBATCH --job-name=tuner
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gpus-per-task=2
#SBATCH --time=04:00:00
set -euo pipefail
python=$PWD/.venv/bin/python
port=$((20000 + SLURM_JOB_ID % 10000)) # two jobs may share a machine
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(getent hosts "$head" | awk '{print $1; exit}'):$port
RAY_AUTH_TOKEN=$("$python" -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN

ray() { # where, options: one Ray node for as long as the job lasts
    srun --nodes=1 --ntasks=1 --exact "$1" "$python" -m ray.scripts.scripts start --block --disable-usage-stats \
        --num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus="${SLURM_GPUS_PER_TASK:-0}" "${@:2}" &
}
ray --nodelist="$head" --head --port="$port"
until (exec 3<> "/dev/tcp/${address/://}") 2> /dev/null; do sleep 1; done
for node in $(scontrol show hostnames "$SLURM_JOB_NODELIST" | tail -n +2); do ray --nodelist="$node" --address="$address"; done
sleep 60 # for the other nodes to join: a study counts the slots that are there when it starts

# This script runs on the first node, so it is part of the cluster.
"$python" -m tuner.run --space informer_paper --dataset etth1 --trials 100 --time 3h30m --address "$address"
