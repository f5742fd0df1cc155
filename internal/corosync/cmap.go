package corosync

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// nodeKey names one of the nodes in the nodelist.
var nodeKey = regexp.MustCompile(`^nodelist\.node\.(\d+)\.`)

// ParseCmap reads the times in force out of what corosync-cmapctl printed: lines such as
// "runtime.config.totem.token (u32) = 1650".
func ParseCmap(text string) (Effective, error) {
	var e Effective
	into := map[string]*time.Duration{
		"token": &e.Token, "token_retransmit": &e.TokenRetransmit, "consensus": &e.Consensus,
		"join":                           &e.Join,
		"interface.0.knet_ping_interval": &e.PingInterval,
		"interface.0.knet_ping_timeout":  &e.PingTimeout,
	}
	nodes := map[string]bool{}
	for line := range strings.Lines(text) {
		key, rest, ok := strings.Cut(strings.TrimSpace(line), " (")
		if !ok {
			continue
		}
		if m := nodeKey.FindStringSubmatch(key); m != nil {
			nodes[m[1]] = true
		}
		name, ours := strings.CutPrefix(key, "runtime.config.totem.")
		field := into[name]
		if !ours || field == nil {
			continue
		}
		_, value, _ := strings.Cut(rest, "= ")
		ms, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return Effective{}, fmt.Errorf("corosync-cmapctl: %s: %q is not a number", key, value)
		}
		*field = time.Duration(ms) * time.Millisecond
	}
	e.Nodes = len(nodes)
	if e.Token == 0 || e.Consensus == 0 {
		return Effective{}, fmt.Errorf(
			"corosync-cmapctl: runtime.config.totem.token and consensus are not among its %d lines",
			strings.Count(text, "\n"))
	}
	return e, nil
}
