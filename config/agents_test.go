package config

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
	"github.com/hawser-ha/hawser/agents/floatip"
	"github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

// TestAgentsTakeWhatIsAccepted has the agents themselves validate what each accepted file makes of
// their parameters. They may miss something on this machine (5), or not learn something (1); what
// they must not say is that the cluster's configuration is wrong (6, or 2), with which Pacemaker
// gives the resource up on every node.
func TestAgentsTakeWhatIsAccepted(t *testing.T) {
	validate := func(name string, agent func() *ocf.Agent, params []Param) {
		given := map[string]string{}
		for _, p := range params {
			given[p.Name] = p.Value
		}
		result := ocftest.New(t, agent, given).Run("validate-all", nil)
		require.NotContains(t, []ocf.Code{ocf.ErrConfigured, ocf.ErrArgs}, result.Code,
			"%s: %v: %s", name, params, result.Reason)
	}
	for name, text := range accepted() {
		c, err := Parse("f", []byte(text))
		require.NoError(t, err)
		validate(name, func() *ocf.Agent { return haproxy.New("test") }, c.HAProxy.Params())
		for _, ip := range c.Addresses {
			validate(name, func() *ocf.Agent { return floatip.New("test") }, ip.Params())
		}
		for _, p := range c.Fencing.Droplet.Params() {
			require.NoError(t, fenceValue(t, p.Name).Set(p.Value), "%s: %v", name, p)
		}
	}
}

// takes has an agent's own declaration parse parameters.
func takes(t *testing.T, agent *ocf.Agent, params []Param) {
	t.Helper()
	for _, p := range params {
		for _, own := range agent.Params {
			if own.Name == p.Name {
				require.NoError(t, own.Value.Set(p.Value), "%s=%q", p.Name, p.Value)
			}
		}
	}
}

// TestDeclarationFitsTheAgents compares the declaration with the agents' own: names, defaults, and
// whether a change takes a restart.
func TestDeclarationFitsTheAgents(t *testing.T) {
	for _, agent := range []*ocf.Agent{haproxy.New("test"), floatip.New("test")} {
		own := map[string]ocf.Param{}
		for _, p := range agent.Params {
			own[p.Name] = p
		}
		for _, k := range flat(keysOf(agent.Name)) {
			if k.param == "" {
				continue
			}
			p, ok := own[k.param]
			require.True(t, ok, "%s has no parameter %s", agent.Name, k.param)
			require.Equal(t, k.meaning(""), k.kind.meaning(p.Value.String()), "%s %s", agent.Name,
				k.param)
			want := restart
			switch {
			case agent.Name == contract.FloatIPType:
				want = move
			case p.Reloadable:
				want = reload
			}
			require.Equal(t, want, k.effect, "%s %s", agent.Name, k.param)
			delete(own, k.param)
		}
		var none []string
		for _, p := range agent.Params {
			if _, ok := own[p.Name]; ok {
				none = append(none, p.Name)
			}
		}
		require.Equal(t, withoutKey(agent.Name), none, agent.Name)
	}
	for _, k := range keysOf(contract.FenceDropletType) {
		if k.param != "" {
			require.Equal(t, k.meaning(""), k.kind.meaning(fenceValue(t, k.param).String()),
				k.param)
		}
	}
}

// withoutKey are the parameters of an agent that hawser.yaml has no key for, or that follow from several.
func withoutKey(agent string) []string {
	if agent == contract.HAProxyType {
		return []string{contract.ParamCheckURL, contract.ParamWellAfter, contract.ParamSites,
			contract.ParamGeneration, contract.ParamPush}
	}
	return []string{contract.ParamToken, contract.ParamConflictWait, contract.ParamAnnounceFor}
}

func fenceValue(t *testing.T, name string) interface {
	Set(text string) error
	String() string
} {
	t.Helper()
	for _, p := range fencedroplet.New("test").Params {
		if p.Name == name {
			return p.Value
		}
	}
	require.Fail(t, "the fence agent has no parameter "+name)
	return nil
}
