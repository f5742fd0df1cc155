package lan

import (
	"errors"
	"os"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/fault"
)

// The first IPv4 address of a network that an interface gets is that network's primary one, the
// others are its secondaries. If promote_secondaries is off, which is the kernel's default, the
// kernel removes the secondaries together with the primary: the removal of one floating address
// would take away another one, or the host's own if that came later (a renewed DHCP lease).

// spare keeps the removal of the address from removing its secondaries: it has the kernel promote
// one of them, and leaves that setting on, because another removal may be under way. If it may not
// change the setting (a container), the returned function, to be called after the removal, puts
// them back.
func (p *Provider) spare(k kernel, at spot) (restore func(), err error) {
	nothing := func() {}
	found, link := at.addr, at.link
	if found.IP.To4() == nil || found.Flags&unix.IFA_F_SECONDARY != 0 {
		return nothing, nil
	}
	addrs, err := dump(func() ([]netlink.Addr, error) {
		return k.AddrList(link, netlink.FAMILY_V4)
	})
	if err != nil {
		return nil, fault.Errorf(fault.Unknown, "cannot read the addresses of %s: %w",
			link.Attrs().Name, err)
	}
	var secondaries []netlink.Addr
	for _, addr := range addrs {
		if addr.Flags&unix.IFA_F_SECONDARY != 0 && addr.Mask.String() == found.Mask.String() &&
			found.Contains(addr.IP) {
			secondaries = append(secondaries, addr)
		}
	}
	if len(secondaries) == 0 || promotes("all") || promotes(link.Attrs().Name) {
		return nothing, nil
	}
	err = os.WriteFile(promoteSecondaries(link.Attrs().Name), []byte("1"), 0)
	if err == nil {
		p.Log("net.ipv4.conf.%s.promote_secondaries is on from now on: without it, %s would have "+
			"gone with %s",
			link.Attrs().Name, secondaries[0].IPNet, found.IPNet)
		return nothing, nil
	}
	p.Log("%v: so what the kernel removes together with %s is put back", err, found.IPNet)
	return func() {
		for _, addr := range secondaries {
			if err := k.AddrAdd(link, &addr); err != nil && !errors.Is(err, syscall.EEXIST) {
				p.Log("cannot put %s back, which the kernel removed together with %s: %v",
					addr.IPNet, found.IPNet, err)
			}
		}
	}, nil
}

// promoteSecondaries returns the kernel's switch (ip-sysctl in its documentation).
func promoteSecondaries(nic string) string {
	return "/proc/sys/net/ipv4/conf/" + nic + "/promote_secondaries"
}

func promotes(nic string) bool {
	text, err := os.ReadFile(promoteSecondaries(nic))
	return err == nil && strings.TrimSpace(string(text)) != "0"
}
