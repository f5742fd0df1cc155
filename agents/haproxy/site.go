package haproxy

import (
	"context"
	"errors"
	"fmt"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/variables"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// Where sites change, a HAProxy whose configuration mentions the site of its node has to read it again
// with the new one. That is a reload like any other, but nobody has asked for it: it must not put into
// effect what somebody is editing.

// environment returns the environment of the HAProxy with this node's site as it is now. Whoever calls
// by hand may leave the parameter out.
func (a *agent) environment(ctx context.Context, env []string) []string {
	call := ocf.CallFrom(ctx)
	if !call.Clustered {
		return env
	}
	return variables.WithSite(env, param.SiteOf(a.Sites, call.Node))
}

// siteToLoad reports whether HAProxy has to load its configuration because this node has come to
// another site. The error says why it cannot. A configuration that does not mention the site needs no
// reload: the checks have it at once, and HAProxy the next time that it loads something.
func (a *agent) siteToLoad(ctx context.Context, in *instance.Instance,
	s *instance.State) (load bool, err error) {
	now := a.environment(ctx, s.Env)
	if variables.SiteIn(now) == variables.SiteIn(s.Env) || s.Pending != nil {
		return false, nil
	}
	onDisk, _ := in.OnDisk()
	loaded, err := in.HasKept()
	if err != nil {
		loaded = onDisk
	}
	switch {
	case len(loaded) > 0 && !client.Mentions(loaded, contract.SiteVariable):
		s.Env = now
		return false, in.Save(*s)
	case len(onDisk) > 0 && in.IsNamed(onDisk, s.Served.Config):
		return true, nil
	}
	return false, fmt.Errorf("HAProxy goes on with %s=%s, and this node is in the site %q now: %s has "+
		"been changed since it was loaded, and hawser reload loads both", contract.SiteVariable,
		variables.SiteIn(s.Env), variables.SiteIn(now), a.Conffile)
}

// followSite is siteToLoad and the reload, for a monitor: the error is why it is Degraded.
func (a *agent) followSite(ctx context.Context, in *instance.Instance, s *instance.State) error {
	load, err := a.siteToLoad(ctx, in, s)
	if !load {
		return err
	}
	if err := a.takeOver(ctx, in, s); err != nil {
		s.Pending.Unasked = true
		return errors.Join(errors.New(s.Pending.Reason), in.Save(*s))
	}
	ocf.CallFrom(ctx).Infof("HAProxy has %s=%s now", contract.SiteVariable, variables.SiteIn(s.Env))
	return in.Save(*s)
}
