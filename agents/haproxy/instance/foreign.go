package instance

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// HAProxy binds with SO_REUSEPORT, so that two of them on one address do not notice each other: the
// kernel distributes the connections among them. So other listeners are looked up in the kernel's
// table.

// stranger is a process that listens and does not belong to this instance.
type stranger struct {
	pid   int
	addr  netip.AddrPort
	inode uint64
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
func (in *Instance) strangers(at []client.Reach, haproxyOnly bool) ([]stranger, error) {
	listeners, err := client.Listeners()
	if err != nil {
		return nil, err
	}
	wanted := map[uint64]netip.AddrPort{}
	for _, l := range listeners {
		for _, reach := range at {
			if client.Overlap(l.Reach, reach) {
				wanted[l.Inode] = l.Addr
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
			addr, listens := wanted[inode]
			if !listens {
				continue
			}
			if fam.Has(pid) {
				delete(wanted, inode)
				continue
			}
			if !haproxyOnly || finder.IsHAProxy(procfs.Default.Executable(pid)) {
				found = append(found, stranger{pid, addr, inode})
			}
		}
	}
	// A socket that is shared with a process of the instance was inherited from it.
	return slices.DeleteFunc(found, func(s stranger) bool {
		_, ok := wanted[s.inode]
		return !ok
	}), nil
}

// RefuseStrangers returns an error if another HAProxy listens on one of the addresses.
func (in *Instance) RefuseStrangers(at []client.Reach) error {
	found, err := in.strangers(at, true)
	if err != nil || len(found) == 0 {
		return err
	}
	return fmt.Errorf("another HAProxy listens on %s: %s", found[0].addr, found[0])
}

// bound returns where the family listens.
func bound(fam Family) ([]client.Reach, error) {
	listeners, err := client.Listeners()
	if err != nil {
		return nil, err
	}
	var at []client.Reach
	for _, m := range fam.All() {
		inodes, err := procfs.Default.SocketInodes(m.PID)
		if err != nil {
			continue
		}
		for _, l := range listeners {
			if inodes[l.Inode] {
				at = append(at, l.Reach)
			}
		}
	}
	return at, nil
}

// NameHolder completes the error of a failed start with the process that holds the address which
// HAProxy could not bind: "… for [192.0.2.1:80]".
func (in *Instance) NameHolder(complaint error) error {
	_, rest, ok := strings.Cut(complaint.Error(), "cannot bind socket")
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
	found, err := in.strangers([]client.Reach{{Addr: addr, Both: both}}, false)
	if err != nil || len(found) == 0 {
		return complaint
	}
	return fmt.Errorf("%w: %s is held by %s", complaint, found[0].addr, found[0])
}
