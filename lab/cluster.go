package lab

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cluster is what Pacemaker on one node reports.
type Cluster struct {
	// From is the node that was asked.
	From string
	// DC is the designated controller's node, "" while there is none.
	DC string
	// Quorate says whether that node's partition has quorum.
	Quorate bool
	// Online are the nodes that take part, sorted.
	Online []string
}

// crmMon is the part of crm_mon's XML that is read here; its schema is Pacemaker's api-result.rng.
type crmMon struct {
	DC struct {
		Present bool   `xml:"present,attr"`
		Name    string `xml:"name,attr"`
		Quorum  bool   `xml:"with_quorum,attr"`
	} `xml:"summary>current_dc"`
	Nodes []struct {
		Name    string `xml:"name,attr"`
		Online  bool   `xml:"online,attr"`
		Pending bool   `xml:"pending,attr"`
	} `xml:"nodes>node"`
}

func parseCrmMon(b []byte) (Cluster, error) {
	var m crmMon
	if err := xml.Unmarshal(b, &m); err != nil {
		return Cluster{}, fmt.Errorf("lab: read what crm_mon printed: %w", err)
	}
	c := Cluster{DC: m.DC.Name, Quorate: m.DC.Quorum}
	if !m.DC.Present {
		c.DC, c.Quorate = "", false
	}
	for _, n := range m.Nodes {
		if n.Online && !n.Pending {
			c.Online = append(c.Online, n.Name)
		}
	}
	slices.Sort(c.Online)
	return c, nil
}

// Cluster asks Pacemaker on the node, or on the first balancer that answers if the name is empty.
func (l *Lab) Cluster(ctx context.Context, node string) (Cluster, error) {
	nodes := []string{node}
	if node == "" {
		nodes = nil
		for _, n := range l.Nodes(Balancer) {
			nodes = append(nodes, n.Name)
		}
	}
	var failed []error
	for _, n := range nodes {
		out, _, err := l.Exec(ctx, n, "crm_mon", "--one-shot", "--output-as=xml")
		if err == nil {
			c, err := parseCrmMon([]byte(out))
			c.From = n
			return c, err
		}
		failed = append(failed, err)
	}
	return Cluster{}, errors.Join(failed...)
}

// clusterWait is the deadline of WaitCluster unless the caller's context has an earlier one.
const clusterWait = 90 * time.Second

// WaitCluster waits until the running balancers, and no others, are online in one quorate cluster
// with a DC, as each of them reports.
func (l *Lab) WaitCluster(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, clusterWait)
	defer cancel()
	var want []string
	for _, n := range l.Nodes(Balancer) {
		if l.Running(n.Name) {
			want = append(want, n.Name)
		}
	}
	if len(want) == 0 {
		return fmt.Errorf("lab: wait for the cluster: %w: no balancer is", ErrDown)
	}
	for _, node := range want {
		for {
			c, err := l.Cluster(ctx, node)
			if err == nil && c.DC != "" && c.Quorate && slices.Equal(c.Online, want) {
				break
			}
			if errors.Is(err, ErrDown) {
				return fmt.Errorf("lab: wait for the cluster: %w; its console:\n%s", err,
					tail(l.ConsoleLog(node), 5))
			}
			select {
			case <-ctx.Done():
				err = errors.Join(ctx.Err(), err)
				return fmt.Errorf(
					"lab: wait until %s are quorate with a DC: %s last said DC %q, quorate %t, "+
						"online %v: %w; its console:\n%s",
					strings.Join(want, ", "), node, c.DC, c.Quorate, c.Online, err,
					tail(l.ConsoleLog(node), 5))
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	return nil
}

// simulated is the part of crm_simulate's XML that is read here: what the scheduler would have done
// now.
type simulated struct {
	Transition struct {
		Actions []struct {
			XMLName xml.Name
		} `xml:",any"`
	} `xml:"transition"`
}

// busy says whether something is left to do. Pseudo actions serve only to order the others.
func (s simulated) busy() bool {
	for _, a := range s.Transition.Actions {
		switch a.XMLName.Local {
		case "rsc_action", "fencing_action", "cluster_action":
			return true
		}
	}
	return false
}

// settleAgain is how soon WaitSettled asks again.
const settleAgain = 50 * time.Millisecond

// WaitSettled waits until Pacemaker has nothing left to do, as the node sees it. `crm_resource
// --wait` asks the scheduler the same, but only every 2 s.
func (l *Lab) WaitSettled(ctx context.Context, node string) error {
	for {
		out, _, err := l.Exec(ctx, node, "crm_simulate", "--live-check", "--simulate",
			"--output-as=xml")
		if err == nil {
			var s simulated
			if err = xml.Unmarshal([]byte(out), &s); err == nil && !s.busy() {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lab: wait until Pacemaker has nothing left to do: %w",
				errors.Join(ctx.Err(), err))
		case <-time.After(settleAgain):
		}
	}
}
