package lab

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/corosync"
)

// Up makes a lab and waits until its cluster is quorate and has a DC. On an error, or when the
// context ends, everything it made is taken down again. The error is ErrExists if there is a lab of
// that name.
func Up(ctx context.Context, o Options) (*Lab, error) {
	o = o.withDefaults()
	dir, err := stateDir(o.Name)
	if err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	l := &Lab{dir: dir, self: o.Self, out: o.Progress, spec: Spec{
		Name: o.Name, Nodes: o.layout(), FloatingIPs: o.FloatingIPs, Sites: o.Sites, Qnetd: o.Qnetd,
		QnetdTimeout: o.QnetdTimeout,
		Root:         o.Root, Overlay: o.Overlay, ActionTime: o.ActionTime,
		Totem: o.Totem, Systemd: o.Systemd, Token: "dop_v1_" + hexString(32),
		NarrowToken: "dop_v1_" + hexString(32), Started: time.Now(),
	}}
	if _, err := l.program(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(Root, 0o755); err != nil {
		return nil, fmt.Errorf("lab: up: %w (as root?)", err)
	}
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); err == nil {
		unlock()
		return nil, fmt.Errorf(
			"lab: %q: %w (%s): `hawser-lab --name %s status` shows it, `hawser-lab --name %s "+
				"down` removes it",
			o.Name, ErrExists, dir, o.Name, o.Name)
	}
	err = l.build(ctx)
	unlock()
	if err == nil && !o.NoWait {
		err = l.WaitCluster(ctx)
		if err == nil {
			l.say("%d balancers online, quorate, with a DC", o.Nodes)
		}
	}
	if err == nil && !o.NoWait && o.Qnetd == QnetdVotes {
		err = l.WaitVotes(ctx)
		if err == nil {
			l.say("corosync-qnetd votes")
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			l.say("given up (%v): taking it down again", ctx.Err())
		} else {
			l.say("taking it down again: %v", err)
		}
		//nolint:contextcheck // the caller's context may be what has ended
		return nil, errors.Join(err, Down(context.Background(), o.Name))
	}
	return l, nil
}

// besideQnetd are Corosync's times in a lab where corosync-qnetd votes. Nodes that wait for its vote
// keep the machine's processors busy with their token, which must not be lost over that: the next
// membership would wait again.
var besideQnetd = corosync.Timing{
	Token: time.Second, PingInterval: 250 * time.Millisecond, PingTimeout: time.Second,
}

// withDefaults returns the options with defaults filled in.
func (o Options) withDefaults() Options {
	o.Name = cmp.Or(o.Name, DefaultName)
	if len(o.Sites) > 0 {
		o.Nodes = 0
		for _, s := range o.Sites {
			o.Nodes += s.Balancers
		}
	}
	o.Nodes, o.Apps = cmp.Or(o.Nodes, 3), cmp.Or(o.Apps, 2)
	if o.Qnetd == QnetdVotes {
		o.Totem = cmp.Or(o.Totem, besideQnetd)
	}
	o.ActionTime, o.Totem = cmp.Or(o.ActionTime, time.Second), cmp.Or(o.Totem, corosync.LAN)
	if len(o.FloatingIPs) == 0 {
		o.FloatingIPs = []netip.Addr{FloatingIP, FloatingIP6}
	}
	if o.Root != "" {
		if path, err := filepath.Abs(o.Root); err == nil { // else check reports what is wrong
			o.Root = path
		}
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	return o
}

// layout names and numbers the nodes.
func (o Options) layout() []Node {
	nodes := layout(o.Nodes, o.Apps)
	if len(o.Sites) > 0 {
		nodes = spread(o.Sites, o.Apps)
	}
	if o.Qnetd != NoQnetd {
		nodes = append(nodes, arbiter())
	}
	return nodes
}

func hexString(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program rather than return an error
	return hex.EncodeToString(b)
}

func (o Options) checkSize() error {
	if o.Nodes < 1 || o.Nodes > 32 || o.Apps < 1 || o.Apps > 32 {
		return fmt.Errorf("%d balancers and %d application servers: there can be 1 to 32 of each",
			o.Nodes, o.Apps)
	}
	if o.Apps*len(o.Sites) > 32 {
		return fmt.Errorf("%d application servers at each of %d sites: there can be 32 in all",
			o.Apps, len(o.Sites))
	}
	if o.Qnetd == QnetdVotes {
		if err := device(o.Nodes, o.QnetdTimeout).Validate(o.Nodes); err != nil {
			return err
		}
	}
	return checkSites(o.Sites)
}

// check finds what is wrong with the options or missing on the machine before anything is made.
func (o Options) check() error {
	var wrong []error
	if err := o.checkSize(); err != nil {
		wrong = append(wrong, err)
	}
	if err := o.Totem.Validate(o.Nodes); err != nil {
		wrong = append(wrong, err)
	}
	if o.Overlay != "" {
		wrong = append(wrong, wantDirectory("the overlay", o.Overlay))
	}
	if o.Root != "" {
		if err := wantDirectory("the nodes' root", o.Root); err != nil {
			return fmt.Errorf("lab: up: %w", errors.Join(append(wrong, err)...)) // what is in it is not known
		}
	}
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		wrong = append(wrong, errors.New("a lab needs Linux and root"))
	}
	remedy := "install what is missing with `make deps`"
	for _, name := range []string{"iptables-restore", "ebtables-nft-restore"} {
		if _, err := lookUp(name); err != nil {
			wrong = append(wrong, fmt.Errorf("%w: %s", err, remedy))
		}
	}
	if o.Root != "" {
		remedy = "it is to be in the nodes' root " + o.Root + "; `make root` makes a whole one"
	}
	programs := []string{"corosync", "pacemakerd", "cibadmin", "crm_mon", "haproxy", "nginx"}
	for _, name := range append(programs, o.qnetdPrograms()...) {
		if _, err := lookUpBelow(o.Root, name); err != nil {
			wrong = append(wrong, fmt.Errorf("%w: %s", err, remedy))
		}
	}
	if o.Systemd {
		if _, err := systemdBelow(o.Root); err != nil {
			wrong = append(wrong, fmt.Errorf("%w: %s", err, remedy))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("lab: up: %w", err)
	}
	return nil
}

func wantDirectory(what, path string) error {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	case !st.IsDir():
		return fmt.Errorf("%s %s is not a directory", what, path)
	}
	return nil
}

// build makes everything. Everything can be found again by name, so Down need not know how far this
// got: the state directory comes first, then namespaces bound in it, then processes in those.
func (l *Lab) build(ctx context.Context) error {
	if err := os.Mkdir(l.dir, 0o755); err != nil {
		return fmt.Errorf("lab: up: %w", err)
	}
	// The nodes' disks are here too: in memory, and gone with one unmount.
	if err := unix.Mount("hawser-lab", l.dir, "tmpfs", unix.MS_NOSUID, "mode=0755"); err != nil {
		return fmt.Errorf("lab: up: mount a tmpfs on %s: %w", l.dir, err)
	}
	for _, sub := range []string{"net", "nodes"} {
		if err := os.Mkdir(l.path(sub), 0o755); err != nil {
			return fmt.Errorf("lab: up: %w", err)
		}
	}
	if err := l.makeCertificates(); err != nil {
		return err
	}
	if l.spec.Qnetd != NoQnetd {
		if err := l.makeQnetdCertificates(ctx); err != nil {
			return err
		}
	}
	// A copy, because overlayfs refuses a lower directory inside another one (ELOOP), and so that a
	// build while the lab is up changes nothing under the nodes.
	if l.spec.Overlay != "" {
		if err := os.CopyFS(l.path("overlay"), os.DirFS(l.spec.Overlay)); err != nil {
			return fmt.Errorf("lab: up: copy the overlay: %w", err)
		}
	}
	if err := writeJSON(l.path("lab.json"), l.spec); err != nil {
		return err
	}
	if err := l.makeFabric(); err != nil {
		return err
	}
	if err := l.startCloud(); err != nil {
		return err
	}
	l.say("the cloud answers at %s and http://%s", APIOrigin, Metadata)
	l.say("it has these floating addresses: %v", l.spec.FloatingIPs)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("lab: up: %w", err)
	}
	var wg sync.WaitGroup
	failed := make([]error, len(l.spec.Nodes))
	for i, n := range l.spec.Nodes {
		wg.Go(func() { failed[i] = l.boot(ctx, n.Name) })
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	l.say("booted %s", l.spec.count())
	return nil
}
