package rollout

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// served is the hash of what the nodes serve before a reload.
const served = "0123456789ab"

// noon is when all tests begin, after everything in the fake's status.
var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// site is a cluster of two nodes that run HAProxy, and whose agents answer as they should unless
// the test says otherwise.
type site struct {
	*crmtest.Fake
	roller *Roller
	conf   string // of this node
	before string // the cluster's configuration
	orders []string

	// reloading and pushing replace what a node does.
	reloading map[string]func(s *crm.Status, n *crm.NodeStatus, generation string)
	pushing   map[string]func(s *crm.Status, n *crm.NodeStatus, order contract.PushOrder)
}

// newSite gives the resource the parameters, beside its file.
func newSite(t *testing.T, params ...crm.Attr) *site {
	t.Helper()
	s := &site{
		Fake: crmtest.New("lb-1", "lb-2"), conf: filepath.Join(t.TempDir(), "haproxy.cfg"),
		reloading: map[string]func(*crm.Status, *crm.NodeStatus, string){},
		pushing:   map[string]func(*crm.Status, *crm.NodeStatus, contract.PushOrder){},
	}
	require.NoError(t, os.WriteFile(s.conf, []byte("defaults\n"), 0o600))
	objects := crmtest.Tutorial()
	objects[1].(*crm.Primitive).Params = append(crm.Attrs{{Name: contract.ParamConffile,
		Value: s.conf}}, params...)
	require.NoError(t, s.Edit(objects...))
	s.before = s.shows(t)
	s.OnStatus(s.answer)
	s.roller = &Roller{
		Cluster: s.Fake, Node: "lb-1", RunDir: t.TempDir(), Root: true,
		Now:         func() time.Time { return noon },
		HAProxy:     func(context.Context, preflight.HAProxy) error { return nil },
		Environment: func(string) []string { return nil },
	}
	return s
}

// shows is the configuration in crmsh's language.
func (s *site) shows(t *testing.T) string {
	t.Helper()
	cib, err := s.Query(context.Background())
	require.NoError(t, err)
	return crm.FormatShell(cib.Objects())
}

// answer is what the nodes' agents do with the parameters that they see.
func (s *site) answer(cib *crm.CIB, status *crm.Status) {
	p, ok := cib.Primitive("haproxy")
	if !ok {
		return
	}
	generation, _ := p.Params.Get(contract.ParamGeneration)
	text, _ := p.Params.Get(contract.ParamPush)
	if text != "" && (len(s.orders) == 0 || s.orders[len(s.orders)-1] != text) {
		s.orders = append(s.orders, text)
	}
	for i := len(status.Nodes) - 1; i >= 0; i-- { // a node may be taken away
		n := &status.Nodes[i]
		loads(n, contract.Loaded{Serves: served})
		switch special := s.reloading[n.Name]; {
		case generation == "":
		case special != nil:
			special(status, n, generation)
		default:
			loads(n, contract.Loaded{Serves: cmp.Or(contract.Demanded(generation), "0123456789ab"), Generation: generation,
				Worker: noon})
		}
	}
	order, err := contract.ParsePushOrder(text)
	if err != nil || text == "" {
		return
	}
	for i := range status.Nodes {
		n := &status.Nodes[i]
		if special := s.pushing[n.Name]; special != nil {
			special(status, n, order)
			continue
		}
		says(n, contract.PushAnswer{Order: order})
	}
}

// loads makes a node tell what it has loaded.
func loads(n *crm.NodeStatus, l contract.Loaded) {
	n.Attributes[contract.LoadedAttribute(contract.ResourceOf("haproxy"))] = l.String()
}

// says makes a node answer an order.
func says(n *crm.NodeStatus, a contract.PushAnswer) {
	n.Attributes[contract.PushAttribute(contract.ResourceOf("haproxy"))] = a.String()
}

// gone takes what runs of HAProxy on the node out of the status.
func gone(s *crm.Status, node string) {
	for i := range s.Resources {
		if r := &s.Resources[i]; r.ID == "haproxy" && r.Node == node {
			r.Active, r.Node, r.Nodes = false, "", nil
		}
	}
}

func ignore(string) {}

// insisting is a cluster whose scheduler restarts HAProxy, whatever is forgotten.
type insisting struct{ *crmtest.Fake }

func (insisting) ForgetProbe(context.Context, string, string) error { return nil }
