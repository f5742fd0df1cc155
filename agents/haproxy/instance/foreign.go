package instance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// HAProxy binds with SO_REUSEPORT, so that two of them on one address do not notice each other: the
// kernel distributes the connections among them. So other listeners are looked up in the kernel's
// table.

// stranger is a process that listens and does not belong to this instance.
type stranger struct {
	pid   int
	addr  netip.AddrPort
	inode uint64
	// takes is set if it gets connections that are for the instance.
	takes bool
}

// rival is a socket of another process on one of the instance's addresses.
type rival struct {
	addr  netip.AddrPort
	takes bool
}

// yields reports whether a socket gets no connection that is for another one: the kernel gives all
// those for a certain address to the socket of that address, and none to one of all addresses.
func yields(theirs, ours client.Reach) bool {
	return theirs.Addr.Addr().IsUnspecified() && !ours.Addr.Addr().IsUnspecified()
}

// String names the process so that an operator can find and end it.
func (s stranger) String() string {
	name := procfs.Default.Executable(s.pid)
	if name == "" {
		name = "a process"
	}
	text := fmt.Sprintf("%s (pid %d", name, s.pid)
	if unit := unitOf(s.pid); unit != "" {
		return text + fmt.Sprintf(", systemd unit %s: systemctl disable --now %s)", unit, unit)
	}
	return text + ")"
}

// unitOf returns the systemd service that a process belongs to, by its control group. Pacemaker's
// own does not count: a HAProxy that an agent started may be in it.
func unitOf(pid int) string {
	unit := procfs.Default.Service(pid)
	if slices.Contains(clusterUnits, unit) {
		return ""
	}
	return unit
}

// strangers returns the processes outside the instance that listen on one of the addresses. With
// haproxyOnly, only HAProxies are looked for: with any other program the bind itself would fail.
// own are sockets that are known to be the instance's: where there are no others, no process has to
// be looked at.
func (in *Instance) strangers(at []client.Reach, haproxyOnly bool,
	own map[uint64]bool) ([]stranger, error) {
	listeners, err := client.Listeners()
	if err != nil {
		return nil, err
	}
	byPort := map[uint16][]client.Reach{} // there may be thousands of either
	for _, reach := range at {
		byPort[reach.Addr.Port()] = append(byPort[reach.Addr.Port()], reach)
	}
	wanted := map[uint64]rival{}
	for _, l := range listeners {
		for _, reach := range byPort[l.Addr.Port()] {
			if !own[l.Inode] && client.Overlap(l.Reach, reach) {
				r := wanted[l.Inode]
				wanted[l.Inode] = rival{l.Addr, r.takes || !yields(l.Reach, reach)}
			}
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return nil, err
	}
	keepers, err := in.Keepers()
	if err != nil {
		return nil, err
	}
	// its program is called haproxy too, and what it holds is for this instance
	for _, keeper := range keepers.All() {
		pids = slices.DeleteFunc(pids, func(pid int) bool { return pid == keeper.PID })
	}
	finder := in.finder()
	fam, err := finder.Find()
	if err != nil {
		return nil, err
	}
	var found []stranger
	for _, pid := range pids {
		if pid == os.Getpid() && IsKeeper(os.Args) {
			continue // bringing HAProxy back
		}
		inodes, err := procfs.Default.SocketInodes(pid)
		if err != nil {
			continue // gone meanwhile
		}
		for inode := range inodes {
			r, listens := wanted[inode]
			if !listens {
				continue
			}
			if fam.Has(pid) {
				delete(wanted, inode)
				continue
			}
			if !haproxyOnly || finder.IsHAProxy(procfs.Default.Executable(pid)) {
				found = append(found, stranger{pid, r.addr, inode, r.takes})
			}
		}
	}
	// A socket that is shared with a process of the instance was inherited from it.
	return slices.DeleteFunc(found, func(s stranger) bool {
		_, ok := wanted[s.inode]
		return !ok
	}), nil
}

// RefuseStrangers returns an error if another HAProxy listens on one of the addresses and gets
// connections that are for the instance.
func (in *Instance) RefuseStrangers(at []client.Reach) error {
	found, err := in.strangers(at, true, nil)
	return errors.Join(err, refuse(found))
}

func refuse(found []stranger) error {
	for _, other := range found {
		if other.takes {
			return fmt.Errorf("another HAProxy listens on %s: %s", other.addr, other)
		}
	}
	return nil
}

// refuseBeside is RefuseStrangers for a family that runs. It warns of another HAProxy that listens
// on all addresses beside a certain one of the family.
func (in *Instance) refuseBeside(ctx context.Context, fam Family) error {
	at, own, err := bound(fam)
	if err != nil {
		return err
	}
	found, err := in.strangers(at, true, own)
	if err = errors.Join(err, refuse(found)); err != nil {
		return err
	}
	if len(found) > 0 {
		ocf.CallFrom(ctx).Warnf("another HAProxy listens on %s: %s; it gets what is sent to "+
			"addresses of this node that HAProxy's configuration does not bind", found[0].addr,
			found[0])
	}
	return nil
}

// WillBind returns where a HAProxy with the configuration is sure to listen.
func WillBind(sources []client.Source, env []string) []client.Reach {
	return client.Reaches(client.Bindings(sources, procfs.Getenv(env)))
}

// bound returns where the family listens, and by which sockets.
func bound(fam Family) (at []client.Reach, own map[uint64]bool, err error) {
	listeners, err := client.Listeners()
	if err != nil {
		return nil, nil, err
	}
	open := map[uint64]bool{}
	for _, m := range fam.All() {
		if inodes, err := procfs.Default.SocketInodes(m.PID); err == nil {
			maps.Copy(open, inodes)
		}
	}
	own = map[uint64]bool{}
	for _, l := range listeners {
		if open[l.Inode] {
			at, own[l.Inode] = append(at, l.Reach), true
		}
	}
	return at, own, nil
}

// cannotBind is what HAProxy says of an address that it cannot have.
const cannotBind = "cannot bind socket"

// NameHolder completes the error of a failed start with the process that holds the address which
// HAProxy could not bind: "… for [192.0.2.1:80]".
func (in *Instance) NameHolder(complaint error) error {
	_, rest, ok := strings.Cut(complaint.Error(), cannotBind)
	if !ok {
		return complaint
	}
	_, rest, _ = strings.Cut(rest, "[")
	text, _, _ := strings.Cut(rest, "]")
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		return complaint
	}
	// at [::], whoever holds the port in either family is in the way
	both := addr.Addr() == netip.IPv6Unspecified()
	found, err := in.strangers([]client.Reach{{Addr: addr, Both: both}}, false, nil)
	if err != nil || len(found) == 0 {
		return complaint
	}
	return fmt.Errorf("%w: %s is held by %s", complaint, found[0].addr, found[0])
}
