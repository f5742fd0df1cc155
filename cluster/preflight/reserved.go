package preflight

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
)

// Interface is a network interface of this machine with its addresses, in the kernel's order.
type Interface struct {
	Name      string
	Loopback  bool
	Addresses []netip.Addr
}

// Main says whether the address is the interface's own, not one of several: the first IPv4 address,
// which is the source of what leaves there, or the only IPv6 address but that of the link.
func (i Interface) Main(ip netip.Addr) bool {
	alike := slices.DeleteFunc(slices.Clone(i.Addresses), func(a netip.Addr) bool {
		return a.Is4() != ip.Is4() || a.IsLinkLocalUnicast()
	})
	return len(alike) > 0 && alike[0] == ip && (ip.Is4() || len(alike) == 1)
}

// reservedTime is how long the cloud may take to say which addresses a token's account has: plan
// waits for it, and goes on without an answer.
const reservedTime = 5 * time.Second

// askReserved asks about the file's addresses, all at once: the cloud whether it has them, this
// machine whether one of its networks holds them. The returned function waits for the answers and
// reports them.
func (n Node) askReserved(
	ctx context.Context, file *config.File,
) (report func(faults *config.Faults) (warnings []string)) {
	if !n.Live {
		return func(*config.Faults) []string { return nil }
	}
	ask := map[string]func(context.Context, *config.Address) (string, error){
		contract.DigitalOcean: n.Reserved, contract.LAN: n.Held,
	}
	type answer struct {
		wrong string
		err   error
	}
	answers := make([]answer, len(file.Addresses))
	var wg sync.WaitGroup
	for i := range file.Addresses {
		ip := &file.Addresses[i]
		if of := ask[ip.Provider]; of != nil {
			wg.Go(func() {
				asking, cancel := context.WithTimeout(ctx, reservedTime)
				defer cancel()
				answers[i].wrong, answers[i].err = of(asking, ip)
			})
		}
	}
	return func(faults *config.Faults) (warnings []string) {
		wg.Wait()
		for i, a := range answers {
			ip := &file.Addresses[i]
			switch {
			case a.wrong != "" && ip.Provider == contract.LAN: // other nodes may have an interface
				warnings = append(warnings, fmt.Sprintf("%s:%d: this node cannot take %s: %s",
					file.Path, ip.IPAt.Line, ip.IP, a.wrong))
			case a.wrong != "":
				faults.Add(ip.IPAt, "%s", a.wrong)
			case a.err != nil && ip.Provider == contract.LAN:
				warnings = append(warnings, fmt.Sprintf(
					"%s:%d: whether a network of this node holds %s was not checked: %v", file.Path,
					ip.IPAt.Line, ip.IP, a.err))
			case a.err != nil:
				warnings = append(warnings, fmt.Sprintf(
					"%s:%d: whether %s is an address of the token's account was not checked: %v",
					file.Path, ip.IPAt.Line, ip.IP, a.err))
			}
		}
		return warnings
	}
}
