#!/usr/bin/env bash
# Start SLURM on this machine alone, from Debian's packages: no systemd, no control groups, no accounts. Needs root.
set -euo pipefail
missing=$(for program in slurmctld slurmd sinfo munged; do command -v "$program" > /dev/null || echo "$program"; done)
if [ -n "$missing" ] || [ "$(id -u)" != 0 ]; then
    echo "error: a test of SLURM needs root and the programs slurmctld, slurmd, sinfo and munged:" >&2
    echo "apt-get install slurmctld slurmd slurm-client munge   (here are missing: $(echo ${missing:-none, but root}))" >&2
    exit 1
fi
sinfo --noheader --format %T 2> /dev/null | grep -q idle && exit 0
host=$(hostname --short)
has() { slurmd -C | sed -n "s/.*$1=\([0-9]*\).*/\1/p"; }
install -d -o slurm -g slurm /var/spool/slurmctld /var/log/slurm /run/slurm
install -d -o munge -g munge /run/munge
install -d /var/spool/slurmd /etc/slurm
cat > /etc/slurm/slurm.conf <<END
ClusterName=test
SlurmctldHost=$host
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurm/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2
ReturnToService=2
MinJobAge=43200
MpiDefault=none
NodeName=$host CPUs=$(has CPUs) RealMemory=$(($(has RealMemory) - 512)) State=UNKNOWN
PartitionName=short Nodes=ALL Default=YES MaxTime=60 State=UP
PartitionName=long Nodes=ALL MaxTime=1-0 State=UP
END
pgrep -x munged > /dev/null || runuser -u munge -- "$(command -v munged)"
pgrep -x slurmctld > /dev/null || slurmctld
pgrep -x slurmd > /dev/null || slurmd
for _ in $(seq 100); do
    sinfo --noheader --format %T 2> /dev/null | grep -q idle && exit 0
    sleep 0.2
done
sinfo >&2
tail -n 5 /var/log/slurm/*.log >&2
echo "error: SLURM did not start" >&2
exit 1
