package fencing

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// What the agent finds and what Corosync says about the nodes: a wrong machine is refused, what
// cannot be checked is reported.
func TestDropletsAreTheNodes(t *testing.T) {
	droplet := func(id int, name string, addresses ...string) Droplet {
		m := Droplet{ID: id, Name: name}
		for _, a := range addresses {
			m.Addresses = append(m.Addresses, netip.MustParseAddr(a))
		}
		return m
	}
	droplets := map[string]Droplet{
		"1001": droplet(1001, "lb-1", "10.0.0.11", "198.51.100.11"), "1002": droplet(1002, "lb-2", "10.0.0.12", "2001:db8::12"),
		"1003": droplet(1003, "lb-3", "10.0.0.13"), "3001": droplet(3001, "db", "10.0.0.31"),
	}
	droplets["web"] = droplets["1001"]
	well := []corosync.Member{{Name: "lb-1", Addresses: []string{"10.0.0.11"}}, {Name: "lb-2", Addresses: []string{"192.168.9.2", "2001:db8::12"}}, {Name: "lb-3", Addresses: []string{"10.0.0.13"}}}
	tunnel := []corosync.Member{{Name: "lb-1", Addresses: []string{"10.0.0.11"}}, {Name: "lb-2", Addresses: []string{"10.200.0.2"}}, {Name: "lb-3", Addresses: []string{"10.0.0.13"}}}
	const one, two, three, db = "lb-1: 1001", "lb-2: 1002", "lb-3: 1003", "lb-3: 3001"
	for _, tc := range []struct {
		name    string
		file    []string
		members []corosync.Member
		err     string
		warning string
	}{
		{"well", []string{one, two, three}, well, "", ""},
		{"two exchanged", []string{one, "lb-2: 1003", "lb-3: 1002"}, well, "f.yaml:2:47: the droplet 1003 (lb-3) is not the node lb-2: Corosync reaches that at 2001:db8::12, an address of the droplet 1002 (lb-2), " +
			"which is given for lb-3: a fence of lb-2 would switch another machine off", ""},
		{"one twice", []string{one, "lb-2: web", three}, well, "the droplet 1001 (lb-1) is given for the nodes lb-1 and lb-2: fencing one of them would hit the other", ""},
		{"another machine", []string{one, two, db}, well, "", "f.yaml:2: whether the droplet 3001 (db) is the node lb-3 cannot be seen: Corosync reaches that at 10.0.0.13, which the cloud does not have"},
		{"a tunnel", []string{one, two, three}, tunnel, "", "whether the droplet 1002 (lb-2) is the node lb-2 cannot be seen: Corosync reaches that at 10.200.0.2"},
		{"nothing of Corosync", []string{one, two, three}, nil, "", "the nodes' addresses could " +
			"not be read: Corosync does not answer"},
		{"nothing of the cloud", []string{one, two, "lb-3: gone"}, well, "", "whether the " +
			"droplet of lb-3 is that node was not checked: no such droplet"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := configOfText(t, "haproxy: {}\nfencing: {droplet: {token_file: /t, droplets: {"+strings.Join(tc.file, ", ")+"}}}\n")
			trial := Trial{
				Nodes: func(context.Context) ([]corosync.Member, error) {
					if tc.members == nil {
						return nil, corosync.ErrNotRunning
					}
					return tc.members, nil
				},
				Find: func(_ context.Context, _ *config.DropletFencing, plug string) (Droplet, error) {
					if d, ok := droplets[plug]; ok {
						return d, nil
					}
					return Droplet{}, errors.New("no such droplet")
				},
			}
			warnings, err := trial.match(t.Context(), cfg, []string{"lb-1", "lb-2", "lb-3"})
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
				require.Equal(t, outcome.Usage, outcome.Of(err))
			}
			require.Equal(t, tc.warning != "", len(warnings) > 0, warnings)
			require.Contains(t, strings.Join(warnings, "\n"), tc.warning)
		})
	}
}
