package haproxy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// Pacemaker has a resource reloaded whenever one of its reloadable parameters has changed, and most
// of them are the agent's own: how often HAProxy may crash, what is checked. Such a change says
// nothing about HAProxy's configuration, which somebody may be editing at the time.

// orders reports whether this reload is meant for HAProxy's configuration: the parameter generation
// has changed, a reload is pending, or no parameter has changed, so that somebody must have asked
// for it, as has whoever calls the agent by hand.
func (a *agent) orders(ctx context.Context, s *instance.State) bool {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || a.Generation != s.Served.Generation || s.Pending != nil {
		return true
	}
	// a state without them is an older agent's, or the state was lost
	if s.Settings != "" && s.Settings == a.settings(ctx) {
		return true
	}
	call.Infof("the parameters of this agent have changed; HAProxy's configuration is not loaded " +
		"for that")
	return false
}

// noteSettings remembers the parameters with which Pacemaker has called. Whoever calls by hand may
// leave some out.
func (a *agent) noteSettings(ctx context.Context, s *instance.State) {
	if s.Settings == "" || ocf.CallFrom(ctx).Clustered {
		s.Settings = a.settings(ctx)
	}
}

// settings returns a hash of the reloadable parameters that are not about HAProxy's configuration.
func (a *agent) settings(ctx context.Context) string {
	declared := New(a.Version) // and not a's own, which would bind its parameters anew
	own := map[string]bool{}
	for _, p := range declared.Params {
		own["OCF_RESKEY_"+p.Name] = p.Reloadable && p.Name != contract.ParamGeneration &&
			p.Name != contract.ParamPush
	}
	entries := slices.DeleteFunc(ocf.CallFrom(ctx).Environ(declared), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !own[name]
	})
	slices.Sort(entries)
	sum := sha256.Sum256([]byte(strings.Join(entries, "\x00")))
	return hex.EncodeToString(sum[:8])
}
