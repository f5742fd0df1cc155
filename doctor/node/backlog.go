package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
)

func (n Node) backlogCheck() doctor.Check {
	return doctor.Check{
		Name: "backlog",
		Short: "a backlog or maxconn of haproxy.cfg that the kernel cuts " +
			"(somaxconn, tcp_max_syn_backlog)",
		Worst: doctor.Warning,
		Why: "in a burst the kernel drops connections that HAProxy should queue; a client " +
			"tries again after a second",
		Remedy: "sysctl -w net.core.somaxconn=N",
		Run: n.ofHAProxies(
			func(ctx context.Context, h inventory.HAProxy) (found []doctor.Finding, err error) {
				sources, err := h.Sources()
				if err != nil {
					return nil, nil //nolint:nilerr // haproxy-config reports it
				}
				want, place := wantedBacklog(sources)
				queue, err := n.queue(ctx, h)
				if somaxconn, ok := n.sysctlNumber("net.core.somaxconn"); ok && want > somaxconn {
					found = append(found,
						n.found(doctor.Warning, h.Resource,
							fmt.Sprintf(
								"%s wants %d connections to wait, and net.core.somaxconn cuts "+
									"that to %d",
								place, want, somaxconn),
							"in a burst the kernel drops connections that HAProxy should queue: "+
								"their clients try again after a second",
							fmt.Sprintf("sysctl -w net.core.somaxconn=%d", want),
							fmt.Sprintf(
								"echo 'net.core.somaxconn = %d' >>/etc/sysctl.d/60-hawser.conf",
								want),
							n.restart(h)))
				}
				if somaxconn, ok := n.sysctlNumber("net.core.somaxconn"); ok && want <= somaxconn &&
					queue > 0 && queue < want {
					found = append(found,
						n.found(doctor.Note, h.Resource,
							fmt.Sprintf(
								"%s wants %d connections to wait, but HAProxy's sockets were "+
									"opened when less was wanted or allowed, and let %d wait",
								place, want, queue),
							"in a burst the kernel drops connections that HAProxy should queue: "+
								"their clients try again after a second",
							n.restart(h)))
				}
				// With SYN cookies the kernel ignores it (net/ipv4/tcp_input.c, tcp_conn_request).
				if most, ok := n.sysctlNumber("net.ipv4.tcp_max_syn_backlog"); ok && want > most &&
					n.sysctl("net.ipv4.tcp_syncookies") == "0" {
					found = append(found,
						n.found(doctor.Warning, h.Resource,
							fmt.Sprintf(
								"%s wants %d connections to wait, and without SYN cookies "+
									"net.ipv4.tcp_max_syn_backlog allows %d handshakes",
								place, want, most),
							"in a burst, or a SYN flood, handshakes are dropped",
							"sysctl -w net.ipv4.tcp_syncookies=1"))
				}
				return found, err
			}),
	}
}

// queue returns how many connections can wait at the running HAProxy, 0 if none runs.
func (n Node) queue(ctx context.Context, h inventory.HAProxy) (int, error) {
	info, err := haproxy.Runtime{
		Path: contract.FilesOf(n.RunDir, h.Resource).StatsSocket(),
	}.Info(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return longestQueue(info.Pid)
}

// listensOnTCP reports whether a bind line makes HAProxy listen with the section's backlog.
func listensOnTCP(words []string) bool {
	if len(words) < 2 || slices.Contains(words, "backlog") || slices.Contains(words, "maxconn") {
		return false // its own
	}
	prefix, _, ok := strings.Cut(words[1], "@")
	return !strings.HasPrefix(words[1], "/") && (!ok || slices.Contains([]string{
		"ipv4", "ipv6", "tcp", "tcp4", "tcp6",
	}, prefix))
}

// restart returns the command for what a reload cannot change. The sockets that a reload passes on
// keep their queue: HAProxy does not listen again on one that listens (seen with 2.6). Without the
// node it would stop HAProxy everywhere.
func (n Node) restart(h inventory.HAProxy) string {
	return fmt.Sprintf(
		"crm_resource --restart --resource %s --node %s   # or at its next start: a reload keeps "+
			"the queue. Its address moves away meanwhile",
		doctor.Quote(h.Resource), doctor.Quote(n.Name))
}

// wantedBacklog returns the longest queue that the configuration asks for: a frontend's backlog, or
// else its maxconn (Configuration Manual, "backlog"). A maxconn that HAProxy calculates by itself
// does not count.
func wantedBacklog(sources []haproxy.Source) (want int, place string) {
	type limits struct {
		backlog, maxconn int
		listens          bool
	}
	var defaults limits
	consider := func(l limits, at string) {
		if n := max(l.backlog, 0); n > want || l.backlog == 0 && l.maxconn > want {
			if want = l.backlog; want == 0 {
				want = l.maxconn
			}
			place = at
		}
	}
	for _, source := range sources {
		section, at := "", ""
		var now limits
		end := func() {
			switch section {
			case "frontend", "listen":
				if now.listens {
					consider(now, at)
				}
			case "defaults":
				defaults = now
			}
		}
		for _, words := range source.Lines(func(string) string { return "" }) {
			switch words[0] {
			case "global", "defaults", "frontend", "listen", "backend", "peers", "ring", "userlist",
				"resolvers", "mailers", "program", "cache":
				end()
				section, now, at = words[0], limits{}, source.File+": "+strings.Join(words, " ")
				if section == "frontend" || section == "listen" {
					now = defaults
				}
			case "bind":
				now.listens = now.listens || listensOnTCP(words)
			case "backlog":
				if len(words) > 1 {
					now.backlog, _ = strconv.Atoi(words[1])
				}
			case "maxconn":
				if len(words) > 1 {
					now.maxconn, _ = strconv.Atoi(words[1])
				}
			}
		}
		end()
	}
	return want, place
}
