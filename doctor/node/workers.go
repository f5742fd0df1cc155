package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
)

// lingering is how long an old worker may take to end before it is reported: longer than the day
// after which the agent's own hard-stop-after ends it.
const lingering = 25 * time.Hour

func (n Node) oldWorkerCheck() doctor.Check {
	return doctor.Check{
		Name: "old-workers",
		Short: "workers from before a reload that do not end (no " +
			"hard-stop-after, or a long one)",
		Worst: doctor.Warning,
		Why: "each keeps its memory and serves its clients by an old configuration; many " +
			"reloads fill the machine",
		Remedy: "hard-stop-after in the section global, then hawser reload",
		Run: n.ofHAProxies(
			func(ctx context.Context, h inventory.HAProxy) ([]doctor.Finding, error) {
				procs, err := haproxy.Master{
					Path: contract.FilesOf(n.RunDir, h.Resource).MasterSocket(),
				}.Procs(ctx)
				if errors.Is(err, fs.ErrNotExist) {
					return nil, nil // it does not run here
				}
				if err != nil {
					return nil, err
				}
				return n.judgeOldWorkers(h, procs, cmp.Or(n.Lingering, lingering)), nil
			}),
	}
}

func (n Node) judgeOldWorkers(
	h inventory.HAProxy, procs haproxy.Procs, most time.Duration,
) []doctor.Finding {
	all := slices.Concat(procs.Workers, procs.OldWorkers)
	var pids []string
	var longest time.Duration
	for _, w := range procs.OldWorkers {
		// the reload that replaced it: the oldest worker that was started after it
		since := time.Duration(-1)
		for _, other := range all {
			if other.Reloads < w.Reloads {
				since = max(since, other.Uptime)
			}
		}
		if since >= most {
			pids, longest = append(pids, strconv.Itoa(w.PID)), max(longest, since)
		}
	}
	if len(pids) == 0 {
		return nil
	}
	f := n.found(doctor.Warning, h.Resource,
		fmt.Sprintf("%d workers from before a reload still run, up to %s after it (pid %s)",
			len(pids), longest, strings.Join(pids, ", ")),
		"each keeps its memory and serves its clients by an old configuration",
		"$EDITOR "+doctor.Quote(h.Config)+"   # hard-stop-after 15m in the section global",
		"hawser reload "+doctor.Quote(h.Resource))
	f.Todo = []string{
		"`kill " + strings.Join(pids, " ") + "` ends these now, and cuts their connections",
	}
	return []doctor.Finding{f}
}

func (n Node) migrateCheck() doctor.Check {
	return doctor.Check{
		Name: "tcp-migrate",
		Short: "a HAProxy that is not the cluster's, is reloaded without " +
			"passing its sockets, and loses connections then (tcp_migrate_req)",
		Worst: doctor.Note,
		Why: "connections that wait on the socket that the old process closes are reset; the " +
			"cluster's HAProxy passes its sockets and needs nothing",
		Remedy: "sysctl -w net.ipv4.tcp_migrate_req=1, or -W, or hawser protect " +
			"(/usr/share/doc/hawser/reload.md)",
		Run: func(context.Context) ([]doctor.Finding, error) {
			if n.sysctl("net.ipv4.tcp_migrate_req") != "0" {
				return nil, nil // it is on, or the kernel is older than 5.14
			}
			all, err := processes()
			if err != nil {
				return nil, err
			}
			var found []doctor.Finding
			for _, p := range all {
				args := p.args() // hawser-keeper's file is called haproxy too, and so is the agent's
				if p.name() != "haproxy" || !serves(args) || passesSockets(args) ||
					p.parentName() == "haproxy" || p.isAgent() {
					continue
				}
				found = append(found,
					n.found(doctor.Note, fmt.Sprintf("pid %d", p),
						fmt.Sprintf(
							"a HAProxy outside of the cluster (pid %d: %s) does not pass its "+
								"sockets on, and net.ipv4.tcp_migrate_req is 0",
							p, strings.Join(args, " ")),
						"its reload (-sf) resets the connections that wait at that moment",
						"sysctl -w net.ipv4.tcp_migrate_req=1"))
			}
			return found, nil
		},
	}
}

// serves reports whether a command line is that of a HAProxy that serves: neither hawser's agent and
// its keeper, whose file has the same name, nor HAProxy checking a file or saying its version.
func serves(args []string) bool {
	return len(args) > 0 && filepath.Base(args[0]) == "haproxy" &&
		!strings.Contains(args[0], "/ocf/resource.d/") &&
		!slices.ContainsFunc(args[1:], func(a string) bool {
			return a == "-c" || a == "-v" || a == "-vv"
		})
}

// passesSockets reports whether a HAProxy with this command line passes its sockets on in a reload:
// in master-worker mode, or when told to.
func passesSockets(args []string) bool {
	for _, a := range args {
		if a == "-W" || a == "-Ws" || a == "-x" {
			return true
		}
	}
	return false
}
