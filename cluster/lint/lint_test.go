package lint_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/lint"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// metadata is what the agents of the test say of themselves.
var metadata = map[string]string{
	"ocf:hawser:floatip": `<resource-agent><parameters>
<parameter name="ip" required="1" unique-group="ip"/><parameter name="nic"/>
<parameter name="provider" required="1"><content type="string" default="digitalocean"/></parameter>
<parameter name="address" required="1"><deprecated/></parameter>
</parameters></resource-agent>`,
	"ocf:heartbeat:IPaddr2": `<resource-agent><parameters>
<parameter name="ip" required="1" unique="1"/></parameters></resource-agent>`,
	"ocf:test:pair": `<resource-agent><parameters>
<parameter name="host" unique-group="at"/><parameter name="port" unique-group="at"/>
</parameters></resource-agent>`,
	"stonith:fence_test": `<resource-agent><parameters>
<parameter name="plug" required="1"/><parameter name="ipaddr" required="1"/></parameters></resource-agent>`,
}

func linter(t *testing.T) lint.Linter {
	t.Helper()
	dir := t.TempDir()
	for _, agent := range []string{
		"ocf/hawser/floatip", "ocf/heartbeat/IPaddr2", "ocf/heartbeat/mute", "ocf/test/pair",
		"sbin/fence_test",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(agent)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, agent), nil, 0o600))
	}
	return lint.Linter{
		Live: true, Agents: filepath.Join(dir, "ocf"), FenceAgents: filepath.Join(dir, "sbin"),
		Metadata: func(_ context.Context, agent string) (crm.Metadata, error) {
			text, ok := metadata[agent]
			if !ok {
				return crm.Metadata{}, errors.New("it does not answer")
			}
			return crm.ParseMetadata([]byte(text))
		},
		Options: func(context.Context) ([]string, error) { return []string{"brand-new"}, nil },
	}
}

// check loads statements into a cluster in which others stand already.
func check(t *testing.T, l lint.Linter, before, text string) ([]string, error) {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2")
	for _, statements := range []string{before, text} {
		script, err := crm.ParseShell("test", []byte(statements))
		require.NoError(t, err)
		if statements == before {
			require.NoError(t, c.Edit(script.Objects...))
			continue
		}
		cib, err := c.Query(t.Context())
		require.NoError(t, err)
		plan, err := change.Edit(cib, script.Objects, script.Delete)
		require.NoError(t, err)
		return l.Check(t.Context(), plan)
	}
	return nil, nil
}

func TestCheck(t *testing.T) {
	const one = "primitive one ocf:hawser:floatip params ip=192.0.2.1"
	for _, tc := range []struct{ name, before, text, fault, warning string }{
		{"nothing is wrong", "", one, "", ""},
		{"a typo in the agent", "", "primitive x ocf:hawser:floatp", "did you mean ocf:hawser:floatip?", ""},
		{"another provider's agent", "", "primitive x ocf:hawser:IPaddr2 params ip=192.0.2.1", "did you mean ocf:heartbeat:IPaddr2?", ""},
		{"no agent", "", "primitive x ocf:hawser:nothing", "x: there is no agent ocf:hawser:nothing on this node (", ""},
		{"no fence agent", "", "primitive x stonith:fence_tset", "x: there is no agent stonith:fence_tset", ""},
		{"an agent that is none of a node's", "", "primitive x systemd:nginx", "", ""},
		{"an agent that does not answer", "", "primitive x ocf:heartbeat:mute params a=b", "", "the parameters of ocf:heartbeat:mute were not checked: it does not answer"},
		{"an unknown parameter", "", one + " nci=eth0", "one: ocf:hawser:floatip has no parameter nci", ""},
		{"a typo in a parameter", "", one + " nik=eth0", "one: ocf:hawser:floatip has no parameter nik: did you mean nic?", ""},
		{"one under a condition", "", "primitive one ocf:hawser:floatip params rule #uname eq lb-1 nik=eth0 params ip=192.0.2.1", "has no parameter nik", ""},
		{"a parameter is missing", "", "primitive one ocf:hawser:floatip params nic=eth0", "one: ocf:hawser:floatip needs the parameter ip", ""},
		{"one is under a condition", "", "primitive one ocf:hawser:floatip params rule #uname eq lb-1 ip=192.0.2.1", "", ""},
		{"parameters of elsewhere", "", "primitive one ocf:hawser:floatip params $id-ref=x", "", ""},
		{"what every agent may have", "", one + " trace_ra=1 OCF_CHECK_LEVEL=10", "", ""},
		{"what Pacemaker reads of a device", "", "primitive f stonith:fence_test params pcmk_host_list=lb-1 priority=1", "", ""},
		{"an unknown one of a device", "", "primitive f stonith:fence_test params plugg=1", "did you mean plug?", ""},
		{"from a template", "rsc_template t ocf:hawser:floatip params nic=eth0", "primitive x @t", "x: ocf:hawser:floatip needs the parameter ip", ""},
		{"an old fault", "primitive one ocf:hawser:floatip params nik=eth0", "primitive one ocf:hawser:floatip params nik=eth1", "", ""},
		{"a missing agent is no news", "primitive x ocf:hawser:floatp", "primitive x ocf:hawser:floatp params a=b", "", ""},
		{"another object", "primitive x ocf:hawser:floatp", "primitive y systemd:nginx", "", ""},
		{"an address twice", one, "primitive two ocf:hawser:floatip params ip=192.0.2.1", "two: the address 192.0.2.1 is one's already", ""},
		{"an address twice in one go", "", one + "\nprimitive two ocf:heartbeat:IPaddr2 params ip=192.0.2.1", "one: the address 192.0.2.1 is two's already\nnothing", ""},
		{"an address in another spelling", "primitive one ocf:hawser:floatip params ip=2001:db8::1", "primitive two ocf:hawser:floatip params ip=2001:db8:0::1", "two: the address 2001:db8::1 is one's already", ""},
		{"an address of another agent's parameter", "primitive one ocf:heartbeat:IPv6addr params ipv6addr=2001:db8::1/64", "primitive two ocf:heartbeat:IPv6addr params ipv6addr=2001:DB8:0::1", "two: the address 2001:db8::1 is one's already", ""},
		{"an address of two agents' parameters", "primitive one ocf:heartbeat:IPv6addr params ipv6addr=2001:db8::1/64", "primitive two ocf:hawser:floatip params ip=2001:db8::1", "two: the address 2001:db8::1 is one's already", ""},
		{"an address of one that is kept stopped", one + " meta target-role=Stopped", "primitive two ocf:heartbeat:IPaddr2 params ip=192.0.2.1", "", "two: the address 192.0.2.1 is one's too: one of the two is kept stopped"},
		{"an address twice before", one + "\nprimitive two ocf:hawser:floatip params ip=192.0.2.1", "primitive two ocf:hawser:floatip params ip=192.0.2.1 meta target-role=Started", "", ""},
		{"values that belong together", "primitive a ocf:test:pair params host=h port=1", "primitive b ocf:test:pair params host=h port=1", "b: host, port is the same as a's", ""},
		{"one of them differs", "primitive a ocf:test:pair params host=h port=1", "primitive b ocf:test:pair params host=h port=2", "", ""},
		{"a typo in an option", "", "property stonith_enabled=false", "stonith_enabled is no option of Pacemaker's: did you mean stonith-enabled?", ""},
		{"an option of nobody's", "", "property frobnicate=1", "frobnicate is no option of Pacemaker's", ""},
		{"an option of a later version", "", "property brand-new=1", "", ""},
		{"an option in a set of its own", "", "property site: frobnicate=1", "", ""},
		{"an option that is there", "property frobnicate=1", "property frobnicate=2", "", ""},
		{"a default", "", "rsc_defaults frobnicate=1", "", ""},
		{"a node that does not exist", one, "location l one 10: lb-9", "", "location l: the cluster has no node lb-9; it has lb-1, lb-2"},
		{"one in a rule", one, "location l one rule #uname eq lb-9", "", "location l: the cluster has no node lb-9"},
		{"one that does", one, "location l one 10: LB-2", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			warnings, err := check(t, linter(t), tc.before, tc.text)
			if tc.fault == "" {
				require.NoError(t, err)
			} else {
				require.Equal(t, outcome.Usage, outcome.Of(err))
				require.ErrorContains(t, err, tc.fault)
				require.ErrorContains(t, err, "\nnothing was changed; --force writes it as it is")
			}
			if tc.warning == "" {
				require.Empty(t, warnings)
			} else {
				require.Len(t, warnings, 1)
				require.Contains(t, warnings[0], tc.warning)
			}
		})
	}
}

// A configuration that is for another machine may name agents that are only there.
func TestAnotherMachinesAgents(t *testing.T) {
	l := linter(t)
	l.Live = false
	warnings, err := check(t, l, "", "primitive x ocf:hawser:floatp\nprimitive y ocf:hawser:floatp")
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "did you mean ocf:hawser:floatip?")
}

// Where Pacemaker cannot be asked for its options, a name is not known to be wrong.
func TestOptionsThatCannotBeAsked(t *testing.T) {
	l := linter(t)
	l.Options = func(context.Context) ([]string, error) { return nil, errors.New("not installed") }
	warnings, err := check(t, l, "", "property frobnicate=1")
	require.NoError(t, err)
	require.Equal(t, []string{"whether Pacemaker has an option frobnicate is not known: not installed"}, warnings)
	_, err = check(t, l, "", "property stonith-enbled=false")
	require.ErrorContains(t, err, "did you mean stonith-enabled?")
	_, err = check(t, lint.Linter{}, "", "property stonith-enbled=false\nprimitive x ocf:hawser:floatp")
	require.NoError(t, err, "nobody is asked")
}
