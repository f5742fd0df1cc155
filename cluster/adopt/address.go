package adopt

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/param"
)

// adoptable says whether hawser has a provider that can do what the agent does.
func adoptable(p *crm.Primitive) bool {
	return inventory.IsAddress(p.Agent()) && p.Type != "awseip" && p.Type != "awsvip"
}

// readAddress takes an address into the file if it belongs to HAProxy.
func (r *reader) readAddress(p *crm.Primitive) error {
	tied := r.tied(p.Name)
	ours := inventory.IsFloatIP(p.Agent())
	switch {
	case !tied && !ours:
		r.remark("%s (%s) is left alone: no colocation or group ties it to %s", p.Name, p.Agent(),
			r.haproxy.Name)
		return nil
	case !adoptable(p):
		r.remark("%s (%s) is left alone: hawser has no provider for it", p.Name, p.Agent())
		return nil
	case slices.ContainsFunc(r.objects, func(o crm.Object) bool {
		_, clone := o.(*crm.Clone)
		return clone && slices.Contains(inventory.Family(r.objects, p.Name), o.ID())
	}):
		return outcome.Usagef("%s is cloned, so several nodes hold it at once: hawser cannot do "+
			"that; nothing was changed", p.Name)
	}
	a := config.Address{Name: p.Name}
	var err error
	if ours {
		err = r.readFloatIP(p, &a)
	} else {
		err = r.readLAN(p, &a)
	}
	if err != nil {
		return err
	}
	r.readMonitor(p, a.SetMonitor)
	if p.Agent() != contract.FloatIPAgent {
		r.found.Exchanged = append(r.found.Exchanged, fmt.Sprintf("%s (%s) is stopped and started "+
			"again as %s: %s cannot be reached meanwhile", p.Name, p.Agent(),
			contract.FloatIPAgent, a.IP))
	} else {
		r.keeps(p)
	}
	r.file.Addresses = append(r.file.Addresses, a)
	r.addresses = append(r.addresses, p)
	return nil
}

// readFloatIP reads the parameters of hawser's agent, and of the shell agent before it.
func (r *reader) readFloatIP(p *crm.Primitive, a *config.Address) error {
	given := paramsOf(p)
	for i := range given {
		if given[i].Name == contract.ParamOldIP {
			given[i].Name = contract.ParamIP
		}
	}
	left := a.TakeParams(given)
	if a.Provider == "" {
		a.Provider = contract.DefaultProvider
	}
	if !a.IP.IsValid() {
		return noAddress(p)
	}
	now := inventory.AddressOf(p)
	left = slices.DeleteFunc(left, func(p config.Param) bool {
		return p.Name == contract.ParamToken || p.Name == contract.ParamOldToken
	})
	r.dropped(p.Name, left)
	if a.Provider == contract.LAN || a.TokenFile != "" {
		return nil
	}
	a.TokenFile = r.tokenFile
	switch {
	case now.TokenInCIB:
		r.remark("the token of %s is in the cluster's configuration, where everybody in the group "+
			"haclient can read it. hawser reads it from %s: have that file on every node before "+
			"(`install -D -m 0600 -o root -g root /dev/stdin %[2]s`), best with a new token; %[1]s "+
			"is started again with it", p.Name, r.tokenFile)
	case now.SecretFile != "":
		r.remark("the token of %s is hidden by cibsecret. hawser reads it from %s: have that file on "+
			"every node before (`install -D -m 0600 -o root -g root %s %[2]s`); %[1]s is started "+
			"again with it", p.Name, r.tokenFile, now.SecretFile)
	}
	return nil
}

// readLAN reads the parameters of IPaddr2 and its kin.
func (r *reader) readLAN(p *crm.Primitive, a *config.Address) error {
	a.Provider = contract.LAN
	var left []config.Param
	for _, given := range paramsOf(p) {
		value, err := given.Value, error(nil)
		switch given.Name {
		case contract.ParamIP, "ipv6addr":
			ip, bits, cut := strings.Cut(value, "/")
			a.IP, err = param.ParseAddr(ip)
			if cut && err == nil {
				a.Netmask, err = strconv.Atoi(bits)
			}
		case "cidr_netmask":
			a.Netmask, err = prefixLength(value)
		case "nic":
			name, label, labelled := strings.Cut(value, ":")
			a.NIC, err = param.ParseNIC(name)
			if labelled && err == nil {
				r.remark("the label %s of %s is left out: hawser sets none", label, p.Name)
			}
		default:
			left = append(left, given)
		}
		if err != nil {
			return outcome.Usagef("%s: %s=%q %w; nothing was changed", p.Name, given.Name, value, err)
		}
	}
	if !a.IP.IsValid() {
		return noAddress(p)
	}
	r.dropped(p.Name, left)
	return nil
}

func noAddress(p *crm.Primitive) error {
	return outcome.Usagef("%s (%s) has no address that can be read: nothing was changed", p.Name,
		p.Agent())
}

// prefixLength reads the length of a prefix, or a netmask of IPv4.
func prefixLength(text string) (int, error) {
	mask, err := netip.ParseAddr(text)
	if err != nil {
		return param.ParsePrefixLength(text)
	}
	ones, bits := net.IPMask(mask.AsSlice()).Size()
	if bits != 32 {
		return 0, errors.New("is no netmask")
	}
	return ones, nil
}
