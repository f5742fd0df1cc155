// Package corosync has the checks of Corosync: whether it answers and can read its configuration,
// what it would do after a restart, its times, links, encryption, nodes and votes.
//
// A check judges what Corosync's tools and corosync.conf say, read once. It imports the engine
// (doctor), cluster/inventory, crm, internal/corosync and systemd; never another package of checks, an agent
// or a command. Start with corosync.go: it lists the checks.
package corosync

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/once"
	"github.com/hawser-ha/hawser/internal/systemd"
)

// confFile is where Corosync's configuration is.
const confFile = corosync.ConfFile

// Ring is what the checks of Corosync query. The functions ask the Corosync that runs on this node;
// their error is corosync.ErrNotRunning if none answers.
type Ring struct {
	// Files is the directory below which /etc and /proc are; "" is the root.
	Files string
	// Node is this node's name.
	Node   string
	Keys   func(ctx context.Context) (corosync.Keys, error)
	Stats  func(ctx context.Context) (corosync.Keys, error)
	Votes  func(ctx context.Context) (corosync.Votes, error)
	Timing func(ctx context.Context) (corosync.Effective, error)
	// QDevice asks the corosync-qdevice of this node, and Unit systemd about its service; either may
	// be nil.
	QDevice func(ctx context.Context) (corosync.QDevice, error)
	Unit    func(ctx context.Context, name string) (systemd.Unit, error)
	// Pacemaker is what runs on top of it.
	Pacemaker crm.Source
}

// view is Corosync as it was read once, for all checks.
type view struct {
	*Ring
	keys   corosync.Keys // as it runs
	stats  corosync.Keys
	votes  corosync.Votes
	timing corosync.Effective

	device        *corosync.QDevice // nil if it does not answer, or was not asked
	deviceErr     error             // why it did not
	deviceService *systemd.Unit     // nil if systemd was not asked

	text    string // corosync.conf, and what it says
	written corosync.Keys
	conf    corosync.Config
	confErr error

	above *crm.Snapshot // Pacemaker; nil if it does not answer
}

func (c *Ring) read(ctx context.Context) (*view, error) {
	v := &view{Ring: c}
	var wg sync.WaitGroup
	var errs [4]error
	wg.Go(func() { v.keys, errs[0] = c.Keys(ctx) })
	wg.Go(func() { v.stats, errs[1] = c.Stats(ctx) })
	wg.Go(func() { v.votes, errs[2] = c.Votes(ctx) })
	wg.Go(func() { v.timing, errs[3] = c.Timing(ctx) })
	wg.Go(func() {
		if above, err := crm.Read(ctx, c.Pacemaker); err == nil {
			v.above = &above
		}
	})
	wg.Wait()
	v.askDevice(ctx)
	text, err := os.ReadFile(filepath.Join("/", c.Files, confFile))
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
			return v, err // the other three fail alike
		}
	}
	return v, nil
}

// askDevice asks what speaks for a quorum device here, if there is one.
func (v *view) askDevice(ctx context.Context) {
	if v.keys["quorum.device.model"] != "net" {
		return
	}
	if v.QDevice != nil {
		q, err := v.QDevice(ctx)
		if v.deviceErr = err; err == nil {
			v.device = &q
		}
	}
	if v.Unit != nil {
		if u, err := v.Unit(ctx, deviceUnit); err == nil && u.Load == "loaded" {
			v.deviceService = &u
		}
	}
}

// Checks returns the checks of Corosync. If it does not answer, one finding reports that for all.
func (c *Ring) Checks() []doctor.Check {
	read := once.New[*view]()
	all := []doctor.Check{
		{
			Name:  "corosync",
			Short: "a Corosync that answers, and a configuration that it can read",
			Worst: doctor.Error, Why: "without it this node is not a member of the cluster",
			Remedy: "start Corosync, or fix its configuration",
			Run: func(ctx context.Context) ([]doctor.Finding, error) {
				v, err := read.Get(ctx, c.read)
				var found []doctor.Finding
				if err != nil {
					found = append(found, doctor.Finding{
						Severity: doctor.Unknown,
						What:     fmt.Sprintf("Corosync could not be asked: %v", err),
						Why:      "none of this was checked: quorum, links, encryption, times",
						Fix: []string{
							"systemctl start corosync pacemaker", "journalctl -u corosync -n 50",
						},
					})
				}
				if v != nil && v.confErr != nil {
					found = append(found, doctor.Finding{
						Severity: doctor.Error, Subject: confFile, What: v.confErr.Error(),
						Why: "Corosync does not start again with it",
						Todo: []string{
							"copy " + confFile + " from another node: it is the same on every one",
						},
					})
				}
				return doctor.At(c.Node, found), nil
			},
		},
	}
	for _, k := range []struct {
		doctor.Check
		check func(v *view) []doctor.Finding
	}{
		{
			doctor.Check{
				Name: "corosync-timing",
				Short: "times by which Corosync takes living nodes for dead, or dead ones for " +
					"living",
				Worst:  doctor.Warning,
				Why:    "an address moves although nothing has failed, or later than it could",
				Remedy: "hawser timing",
			},
			checkTiming,
		},
		{
			doctor.Check{
				Name:  "corosync-reloaded",
				Short: "a corosync.conf that differs from what is in force", Worst: doctor.Warning,
				Why:    "the next restart changes the cluster, at a time that nobody chose",
				Remedy: "corosync-cfgtool -R",
			},
			checkReloaded,
		},
		{
			doctor.Check{
				Name: "corosync-encryption",
				Short: "messages between the nodes that are not encrypted, or a key that others " +
					"can read",
				Worst: doctor.Error,
				Why: "whoever reaches the nodes' network can join the cluster and run what it " +
					"likes on its nodes",
				Remedy: "corosync-keygen, crypto_cipher and crypto_hash",
			},
			checkEncryption,
		},
		{
			doctor.Check{
				Name:  "corosync-links",
				Short: "links between the nodes that are down, or only one link",
				Worst: doctor.Error, Why: "the next failure in the network splits the cluster",
				Remedy: "fix the network, or give each node a second address",
			},
			checkLinks,
		},
		{
			doctor.Check{
				Name: "corosync-nodes", Short: "nodes that Corosync and Pacemaker do not both know",
				Worst:  doctor.Error,
				Why:    "Pacemaker waits for, or would fence, a node that does not exist",
				Remedy: "the names in corosync.conf; crm_node --remove for a machine that is gone",
			},
			checkNames,
		},
		{
			doctor.Check{
				Name: "node-address", Short: "floating IPs that are a node's own address",
				Worst: doctor.Error, Why: "two machines have the address, and a node loses its own",
				Remedy: "another ip in hawser.yaml, then hawser apply",
			},
			checkNodeAddress,
		},
		{
			doctor.Check{
				Name:   "corosync-quorum",
				Short:  "votes: two_node, wait_for_all, a quorum device, expected votes",
				Worst:  doctor.Error,
				Why:    "a partition acts that should not, or none does",
				Remedy: "quorum section of corosync.conf",
			},
			checkVotes,
		},
	} {
		all = append(all, doctor.Judging(k.Check,
			func(ctx context.Context) (*view, error) { return read.Get(ctx, c.read) },
			func(_ context.Context, v *view) ([]doctor.Finding, error) { return k.check(v), nil }))
	}
	return all
}

// self returns this node's id.
func (v *view) self() string { return v.keys["runtime.votequorum.this_node_id"] }
