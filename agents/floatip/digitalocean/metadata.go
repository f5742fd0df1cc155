package digitalocean

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/hawser-ha/hawser/internal/metadata"
)

// ReservedHere returns this droplet's reserved address according to the metadata service, the zero Addr
// if it has none.
func ReservedHere(ctx context.Context, m *metadata.Client, v6 bool) (netip.Addr, error) {
	return reserved(ctx, m, v6)
}

// reserved returns this droplet's reserved address according to the metadata service, the zero Addr
// if it has none.
func reserved(ctx context.Context, m *metadata.Client, v6 bool) (netip.Addr, error) {
	// Until 2022 reserved addresses were called floating ones, and there were none for IPv6.
	bases := []string{"reserved_ip/ipv4/", "floating_ip/ipv4/"}
	if v6 {
		bases = []string{"reserved_ip/ipv6/"}
	}
	var err error
	for _, base := range bases {
		var active string
		active, err = m.Get(ctx, base+"active")
		if errors.Is(err, metadata.ErrNoKey) {
			continue
		}
		if err != nil {
			return netip.Addr{}, err
		}
		switch active {
		case "false":
			return netip.Addr{}, nil
		case "true":
			text, err := m.Get(ctx, base+"ip_address")
			if err != nil {
				return netip.Addr{}, err
			}
			return parseAddr(base, text)
		}
		return netip.Addr{}, fmt.Errorf("the metadata service says %sactive is %.40q, and not "+
			"true or false", base, active)
	}
	return netip.Addr{}, fmt.Errorf("the metadata service cannot say which reserved address is "+
		"here: %w", err)
}

func parseAddr(base, text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the metadata service says %sip_address is %.60q, which "+
			"is not an address", base, text)
	}
	return addr.Unmap(), nil
}
