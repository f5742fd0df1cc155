package doctor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/hawser-ha/hawser/internal/corosync"
)

// corosyncConf is where Corosync's configuration is.
const corosyncConf = "/etc/corosync/corosync.conf"

// Corosync is where the checks of Corosync look. The functions ask the one that runs on this node; their error is corosync.ErrNotRunning where
// none answers.
type Corosync struct {
	// Files is the directory below which /etc and /proc are; "" is the root.
	Files string
	// Node is this node's name.
	Node   string
	Keys   func(ctx context.Context) (corosync.Keys, error)
	Stats  func(ctx context.Context) (corosync.Keys, error)
	Votes  func(ctx context.Context) (corosync.Votes, error)
	Timing func(ctx context.Context) (corosync.Effective, error)
	// Cluster is Pacemaker on top of it.
	Cluster *Cluster
}

// corosyncView is Corosync as it was read once, for all checks.
type corosyncView struct {
	*Corosync
	keys   corosync.Keys // as it runs
	stats  corosync.Keys
	votes  corosync.Votes
	timing corosync.Effective

	text    string // corosync.conf, and what it says
	written corosync.Keys
	conf    corosync.Config
	confErr error

	above *clusterView // Pacemaker; nil where it does not answer
}

func (c *Corosync) read(ctx context.Context) (*corosyncView, error) {
	v := &corosyncView{Corosync: c}
	var wg sync.WaitGroup
	var errs [4]error
	wg.Go(func() { v.keys, errs[0] = c.Keys(ctx) })
	wg.Go(func() { v.stats, errs[1] = c.Stats(ctx) })
	wg.Go(func() { v.votes, errs[2] = c.Votes(ctx) })
	wg.Go(func() { v.timing, errs[3] = c.Timing(ctx) })
	wg.Go(func() {
		if above, err := c.Cluster.source().get(ctx); err == nil {
			v.above = above
		}
	})
	wg.Wait()
	text, err := os.ReadFile(filepath.Join("/", c.Files, corosyncConf))
	if err == nil {
		v.text = string(text)
		v.written, err = corosync.ConfKeys(v.text)
	}
	if err == nil {
		v.conf, err = corosync.ParseConf(v.text)
	}
	v.confErr = err
	for _, err := range errs {
		if err != nil {
			return v, err // the others say the same
		}
	}
	return v, nil
}

// Checks are those of Corosync. Where none answers, one finding says so for all.
func (c *Corosync) Checks() []Check {
	var once sync.Mutex
	var view *corosyncView
	var failed error
	get := func(ctx context.Context) (*corosyncView, error) {
		once.Lock()
		defer once.Unlock()
		if view == nil && failed == nil {
			view, failed = c.read(ctx)
		}
		return view, failed
	}
	all := []Check{{Name: "corosync", Short: "a Corosync that answers, and a configuration that it can read", Worst: Error,
		Why: "without it this node is no member of the cluster", Mend: "start Corosync, or mend its configuration",
		Run: func(ctx context.Context) ([]Finding, error) {
			v, err := get(ctx)
			var found []Finding
			if err != nil {
				found = append(found, Finding{Severity: Unknown, What: fmt.Sprintf("Corosync could not be asked: %v", err),
					Why: "nothing of it was looked at: quorum, links, encryption, times", Fix: []string{"systemctl start corosync pacemaker", "journalctl -u corosync -n 50"}})
			}
			if v != nil && v.confErr != nil {
				found = append(found, Finding{Severity: Error, Subject: corosyncConf, What: v.confErr.Error(),
					Why: "Corosync does not start again with it", Fix: []string{"scp OTHER-NODE:" + corosyncConf + " " + corosyncConf + "    # it is the same on every node"}})
			}
			return at(c.Node, found), nil
		}}}
	for _, k := range []struct {
		Check
		look func(v *corosyncView) []Finding
	}{
		{Check{Name: "corosync-timing", Short: "times at which Corosync takes living nodes for lost, or lost ones for living", Worst: Warning,
			Why: "an address moves although nothing has failed, or later than it could", Mend: "hawser timing"}, checkTiming},
		{Check{Name: "corosync-reloaded", Short: "a corosync.conf that says otherwise than what is in force", Worst: Warning,
			Why: "the next restart changes the cluster, at a time that nobody chose", Mend: "corosync-cfgtool -R"}, checkReloaded},
		{Check{Name: "corosync-encryption", Short: "messages between the nodes that are not encrypted, or a key that others can read", Worst: Error,
			Why: "whoever reaches the nodes' network can join the cluster and run what it likes on its nodes", Mend: "corosync-keygen, crypto_cipher and crypto_hash"}, checkEncryption},
		{Check{Name: "corosync-links", Short: "links between the nodes that are down, or only one link", Worst: Error,
			Why: "the next failure in the network splits the cluster", Mend: "mend the network, or give each node a second address"}, checkLinks},
		{Check{Name: "corosync-nodes", Short: "nodes that Corosync and Pacemaker do not both know", Worst: Warning,
			Why: "Pacemaker waits for, or would fence, a node that is none", Mend: "crm_node --remove, or the names in corosync.conf"}, checkNames},
		{Check{Name: "corosync-quorum", Short: "votes: two_node, wait_for_all, a quorum device, expected votes", Worst: Error,
			Why: "a part of the cluster acts that should not, or none does", Mend: "quorum section of corosync.conf"}, checkVotes},
	} {
		check := k.Check
		check.Run = func(ctx context.Context) ([]Finding, error) {
			v, err := get(ctx)
			if err != nil {
				return nil, nil //nolint:nilerr // the check "corosync" says it, once
			}
			return k.look(v), nil
		}
		all = append(all, check)
	}
	return all
}

// self is this node's id.
func (v *corosyncView) self() string { return v.keys["runtime.votequorum.this_node_id"] }

// name is a node's name, or its first address.
func nameOf(m corosync.Member) string {
	if m.Name != "" {
		return m.Name
	}
	return m.Addresses[0]
}

// at says of findings that name no node that they are of this one.
func at(node string, found []Finding) []Finding {
	for i := range found {
		found[i].Node = cmp.Or(found[i].Node, node)
	}
	return found
}
