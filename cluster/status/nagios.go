package status

import (
	"fmt"
	"strings"
)

// Nagios is the report for a monitoring system: one line with performance data behind a bar, and the
// exit code that goes with it (0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN).
func (r *Report) Nagios() (line string, code int) {
	code = rank(r.State)
	word := []string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[code]
	text := strings.Join(strings.Fields(strings.ReplaceAll(r.Summary(), "|", "/")), " ")
	return fmt.Sprintf("HAWSER %s - %s | %s", word, text, r.performance()), code
}

// performance counts what a graph is made of. What is not known is left out.
func (r *Report) performance() string {
	online, ready, up, down := 0, 0, 0, 0
	for _, n := range r.Pacemaker.Nodes {
		if len(n.Is) > 0 && n.Is[0] == Online {
			online++
		}
	}
	known := false
	for _, h := range r.HAProxy {
		if accepts(h) {
			ready++
		}
		if h.Servers != nil {
			known = true
			up, down = up+h.Servers.Up, down+h.Servers.Down
		}
	}
	held := 0
	for _, ip := range r.FloatingIPs {
		if ip.Node != "" && ip.State != Failed {
			held++
		}
	}
	all := []string{}
	add := func(name string, value, most int) {
		all = append(all, fmt.Sprintf("%s=%d;;;0;%d", name, value, most))
	}
	if r.Pacemaker.Available {
		add("nodes_online", online, len(r.Pacemaker.Nodes))
		add("haproxy_ready", ready, len(r.HAProxy))
		add("addresses_served", held, len(r.FloatingIPs))
		all = append(all, fmt.Sprintf("failed_actions=%d;;;0", len(r.Failures)))
	}
	if known {
		all = append(all, fmt.Sprintf("servers_up=%d;;;0", up), fmt.Sprintf("servers_down=%d;;;0", down))
	}
	return strings.Join(all, " ")
}
