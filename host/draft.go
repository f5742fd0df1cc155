package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	provider "github.com/hawser-ha/hawser/agents/floatip/digitalocean"
	"github.com/hawser-ha/hawser/cluster/draft"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/metadata"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// How long each may take to answer: somebody waits, and a draft without it is worth having.
const (
	clusterTime  = 10 * time.Second
	corosyncTime = 3 * time.Second
	dropletTime  = time.Second
	filesTime    = 3 * time.Second
	refuseTime   = 5 * time.Second
)

// Draft gathers what a hawser.yaml can begin with; file is HAProxy's configuration. What cannot be
// looked at is said, and is no error. Everything is asked at once.
func (h *Host) Draft(ctx context.Context, file string) draft.Facts {
	f := draft.Facts{Node: h.Node, HAProxy: draft.HAProxy{File: file}}
	g := &gathering{}
	g.Go(func() { h.draftCluster(ctx, g, &f.Cluster) })
	if h.Live() {
		g.Go(func() {
			here := *h
			here.Locate(ctx)
			f.Node = here.Node
		})
	}
	if !h.Remote {
		g.Go(func() { h.draftHAProxy(ctx, g, &f.HAProxy) })
		g.Go(func() { h.draftMachine(ctx, g, &f) })
	}
	g.Wait()
	slices.Sort(g.notSeen)
	f.NotSeen = g.notSeen
	return f
}

// gathering is what is asked at once, with what could not be seen.
type gathering struct {
	sync.WaitGroup
	lock    sync.Mutex
	notSeen []string
}

func (g *gathering) missed(format string, args ...any) {
	g.lock.Lock()
	defer g.lock.Unlock()
	g.notSeen = append(g.notSeen, fmt.Sprintf(format, args...))
}

// within asks something that has to answer in time, whether or not it heeds the context: a file may be
// on a disk that hangs.
func within[T any](
	ctx context.Context, long time.Duration, ask func(context.Context) (T, error),
) (T, error) {
	type answer struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	answers := make(chan answer, 1)
	go func() {
		value, err := ask(ctx)
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return a.value, errSlow(long)
		}
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, errSlow(long)
	}
}

// errSlow is the error of what has not answered in time.
type errSlow time.Duration

func (e errSlow) Error() string { return fmt.Sprintf("no answer within %s", time.Duration(e)) }

// draftCluster asks the cluster and its Corosync.
func (h *Host) draftCluster(ctx context.Context, g *gathering, c *draft.Cluster) {
	var members []draft.Member
	var around sync.WaitGroup
	if h.Live() {
		around.Go(func() { members, c.Device = h.draftCorosync(ctx, g) })
		around.Go(func() { h.draftSBD(ctx, g, &c.Fencing) })
	}
	cib, err := within(ctx, clusterTime, h.Cluster.Configuration)
	around.Wait()
	c.Setup.Maker = draft.Unknown
	if err != nil {
		c.Members = members
		g.missed("The cluster was not asked (%s): what it runs and what fences it are not in this draft.",
			cmp.Or(reason(err), err.Error())+askRoot(err, h.Root))
		return
	}
	describe(c, cib)
	for _, name := range cib.Members() {
		at := slices.IndexFunc(members, func(m draft.Member) bool { return m.Name == name })
		if at < 0 {
			members, at = append(members, draft.Member{Name: name}), len(members)
		}
		c.Members = append(c.Members, members[at])
	}
}

// askRoot is what to add to an error for somebody who may not look.
func askRoot(err error, root bool) string {
	if root || !errors.Is(err, crm.ErrPermission) && !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	return "; as root it would be seen"
}

// reason says in a few words why the cluster was not asked, "" if that is not one of the usual ones.
func reason(err error) string {
	switch {
	case errors.Is(err, crm.ErrNotInstalled):
		return "Pacemaker is not installed here"
	case errors.Is(err, crm.ErrNotRunning):
		return "Pacemaker does not run here"
	case errors.Is(err, crm.ErrPermission):
		return "permission denied"
	}
	return ""
}

// describe takes what the cluster's configuration says.
func describe(c *draft.Cluster, cib *crm.CIB) {
	c.Known = true
	objects := cib.Effective()
	c.Holders = map[netip.Addr]string{}
	for ip, holders := range inventory.Holders(objects) {
		c.Holders[ip] = holders[0].Name
	}
	for _, o := range cib.Objects() {
		c.IDs = append(c.IDs, o.ID())
	}
	c.Fencing.Off = !cib.FencingEnabled()
	_, c.Fencing.Watchdogs = cib.Watchdogs()
	for _, d := range cib.FencingDevices() {
		if d.StoppedBy == "" {
			c.Fencing.Devices = append(c.Fencing.Devices, d.ID+" ("+d.Agent+")")
		}
	}
	c.Setup.Maker = draft.Nobody
	made := cib.Tagged(contract.TagID)
	for _, p := range inventory.Primitives(objects, inventory.RunsHAProxy) {
		c.Setup.HAProxies = append(c.Setup.HAProxies, p.Name+" ("+p.Agent()+")")
		c.Setup.Maker = draft.ByHand
		if slices.Contains(made, p.Name) {
			c.Setup.Maker = draft.Hawser
			if last, ok := inventory.LastApplied(cib); ok {
				c.Setup.From = last.Source()
			}
			return
		}
	}
}

// draftCorosync returns the nodes with the addresses of their links, and the quorum device: from the
// file, which everybody may read and which is there while Corosync does not run.
func (h *Host) draftCorosync(ctx context.Context, g *gathering) (all []draft.Member, device string) {
	if h.CorosyncConf == "" {
		return nil, ""
	}
	text, err := within(ctx, corosyncTime, func(context.Context) ([]byte, error) {
		return os.ReadFile(h.CorosyncConf)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ""
	}
	var keys corosync.Keys
	if err == nil {
		keys, err = corosync.ConfKeys(string(text))
	}
	if err != nil {
		g.missed("%s cannot be read (%v): whether there is a quorum device is not known.", h.CorosyncConf,
			outcome.Cause(err))
		return nil, ""
	}
	ctx, cancel := context.WithTimeout(ctx, corosyncTime)
	defer cancel()
	nodes := keys.Members()
	if len(nodes) < 2 {
		nodes = nil // such as node1 at 127.0.0.1, which Debian's package comes with
	}
	for _, m := range nodes {
		all = append(all, draft.Member{Name: m.Label(), Links: slices.Concat(m.Links(ctx)...)})
	}
	return all, keys["quorum.device.net.host"]
}

func (h *Host) draftSBD(ctx context.Context, g *gathering, f *draft.Fencing) {
	if h.SBD == nil {
		return
	}
	d, err := within(ctx, filesTime, func(context.Context) (sbd.Daemon, error) { return h.SBD() })
	if err != nil {
		g.missed("Whether SBD runs on this node is not known: %v.", err)
	}
	f.SBD, f.Timeout, f.Disks = d.Running, d.Fires(), d.Disks
}

// draftHAProxy reads HAProxy's configuration, and has HAProxy say whether it takes it.
func (h *Host) draftHAProxy(ctx context.Context, g *gathering, f *draft.HAProxy) {
	sources, err := within(ctx, filesTime, func(context.Context) ([]haproxy.Source, error) {
		return haproxy.ReadSources([]string{f.File})
	})
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			g.missed("%s cannot be read (%v): no address and no check is taken from it%s.", f.File,
				outcome.Cause(err), askRoot(err, h.Root))
		}
		return
	}
	f.Sources = sources
	if h.CheckHAProxy == nil {
		return
	}
	_, err = within(ctx, refuseTime, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, h.CheckHAProxy(ctx, preflight.HAProxy{Config: f.File})
	})
	var slow errSlow
	switch {
	case errors.As(err, &slow):
		g.missed("HAProxy has not said within %s whether it takes %s.", refuseTime, f.File)
	case err != nil:
		f.Complaint = err.Error()
		if !h.Root {
			f.Complaint += " (asked as an ordinary user, who may not read what root may)"
		}
	}
}

// draftMachine asks about the machine's networks and its cloud.
func (h *Host) draftMachine(ctx context.Context, g *gathering, f *draft.Facts) {
	if h.Networks != nil {
		var err error
		if f.Interfaces, err = h.Networks(); err != nil {
			g.missed("This machine's interfaces cannot be listed (%v): which addresses are its own is not "+
				"known.", err)
		}
	}
	if h.Droplet == nil {
		return
	}
	var err error
	f.Droplet, err = within(ctx, dropletTime+dropletTime/4, func(ctx context.Context) (draft.Droplet, error) {
		ctx, cancel := context.WithTimeout(ctx, dropletTime)
		defer cancel()
		return h.Droplet(ctx) // which knows without the service that this is a droplet
	})
	if err != nil && f.Droplet.ID != "" {
		g.missed("This machine is the droplet %s, and its metadata service was of no help (%v): whether a "+
			"reserved address leads here is not known.", f.Droplet.ID, err)
	}
}

// networks returns the network interfaces of this machine that are up.
func networks() ([]draft.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []draft.Interface
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		n := draft.Interface{Name: i.Name, Loopback: i.Flags&net.FlagLoopback != 0}
		addresses, err := i.Addrs()
		if err != nil {
			continue // it has gone since
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				n.Prefixes = append(n.Prefixes, netip.PrefixFrom(p.Addr().Unmap().WithZone(""), p.Bits()))
			}
		}
		out = append(out, n)
	}
	return out, nil
}

// dropletHere asks DigitalOcean's metadata service about this machine. Without an error and without an
// id it is no droplet.
func dropletHere(ctx context.Context) (draft.Droplet, error) {
	service := metadata.New(contract.DefaultMetadataURL)
	id, err := metadata.Here(service, "").Droplet(ctx)
	if err != nil {
		return draft.Droplet{}, nil //nolint:nilerr // where nobody answers there is no droplet
	}
	d := draft.Droplet{ID: id}
	anchor, err := service.Get(ctx, "interfaces/public/0/anchor_ipv4/address")
	if a, parseErr := netip.ParseAddr(strings.TrimSpace(anchor)); parseErr == nil {
		d.Anchor = a
	}
	if errors.Is(err, metadata.ErrNoKey) {
		err = nil // it has none
	}
	for _, v6 := range []bool{false, true} {
		ip, askErr := provider.ReservedHere(ctx, service, v6)
		if ip.IsValid() {
			d.Reserved = append(d.Reserved, ip)
		}
		if !errors.Is(askErr, metadata.ErrNoKey) {
			err = errors.Join(err, askErr)
		}
	}
	return d, err
}
