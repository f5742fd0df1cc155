package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// fewConnections is a limit that nobody would set for a balancer on purpose.
const fewConnections = 2000

func (n Node) limitCheck() doctor.Check {
	return doctor.Check{
		Name: "file-limit",
		Short: "a running HAProxy whose limit of open files is below what " +
			"its maxconn needs, or that is full",
		Worst:  doctor.Error,
		Why:    "HAProxy takes no more connections while others wait in the kernel's queue",
		Remedy: "maxconn in the section global and hawser reload; LimitNOFILE of haproxy.service",
		Run: n.ofHAProxies(
			func(ctx context.Context, h inventory.HAProxy) ([]doctor.Finding, error) {
				info, err := haproxy.Runtime{
					Path: contract.FilesOf(n.RunDir, h.Resource).StatsSocket(),
				}.Info(ctx)
				if errors.Is(err, fs.ErrNotExist) {
					return nil, nil // it does not run here
				}
				if err != nil {
					return nil, err
				}
				soft, hard, err := procfs.Default.OpenFiles(info.Pid)
				if err != nil {
					return nil, err
				}
				return n.judgeLimits(h, info, soft, hard), nil
			}),
	}
}

// judgeLimits compares the limits with maxconn. A connection that is passed on has two descriptors.
func (n Node) judgeLimits(h inventory.HAProxy, info haproxy.Info, soft, hard int) []doctor.Finding {
	edit := []string{
		"$EDITOR " + doctor.Quote(h.Config) +
			"   # maxconn in the section global: HAProxy raises its limit to what that needs",
		"hawser reload " + doctor.Quote(h.Resource),
	}
	few := slices.Clone(edit)
	enough := 2*info.MaxConn + 1000
	raise := []string{
		fmt.Sprintf("prlimit --pid %d --nofile=%d:%d   # now", info.Pid, enough, max(enough, hard)),
	}
	if h.Unit != "none" {
		raise = append(raise,
			fmt.Sprintf("systemctl edit %s   # [Service] LimitNOFILE=%d, for HAProxy's next start",
				doctor.Quote(h.Unit), enough))
		few = append(few,
			fmt.Sprintf(
				"systemctl edit %s   # [Service] LimitNOFILE=, for its next start, if the reload "+
					"is refused since it may not raise that limit",
				doctor.Quote(h.Unit)))
	}
	switch {
	case info.MaxConn > 0 && info.CurrConns >= info.MaxConn:
		return []doctor.Finding{
			n.found(doctor.Error, h.Resource, fmt.Sprintf(
				"HAProxy has %d connections and takes no more than %d", info.CurrConns,
				info.MaxConn),
				"further clients wait in the kernel's queue", edit...),
		}
	case info.MaxConn > 0 && soft < 2*info.MaxConn:
		return []doctor.Finding{
			n.found(doctor.Warning, h.Resource, fmt.Sprintf(
				"HAProxy is set to take %d connections, each needs two files, and it may open %d "+
					"files",
				info.MaxConn, soft),
				"above that it can neither accept nor reach a server", raise...),
		}
	case info.MaxConn > 0 && info.MaxConn < fewConnections && !n.mentionsMaxConn(h):
		return []doctor.Finding{
			n.found(doctor.Warning, h.Resource, fmt.Sprintf(
				"HAProxy takes %d connections at most: haproxy.cfg sets no maxconn, so it made "+
					"do with the %d open files that it was allowed",
				info.MaxConn, soft),
				"a balancer is full sooner than anybody expects", few...),
		}
	}
	return nil
}

func (n Node) mentionsMaxConn(h inventory.HAProxy) bool {
	sources, err := h.Sources()
	if err != nil {
		return true
	}
	global := false
	for _, s := range sources {
		for _, words := range s.Lines(func(string) string { return "" }) {
			switch words[0] {
			case "global":
				global = true
			case "defaults", "frontend", "listen", "backend":
				global = false
			case "maxconn":
				if global {
					return true
				}
			}
		}
	}
	return false
}
