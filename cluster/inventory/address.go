package inventory

import (
	"cmp"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Address is a floating IP of the cluster's configuration.
type Address struct {
	Resource, IP, Provider, TokenFile, APIURL, MetadataURL string
	// TokenInCIB says whether the token itself is in the configuration; Token holds it then, and
	// must never be shown. SecretFile is where Pacemaker keeps one that was hidden with
	// cibsecret(8).
	TokenInCIB        bool
	Token, SecretFile string

	primitive *crm.Primitive
}

// AddressOf reads the parameters of an address that hawser's agent holds.
func AddressOf(p *crm.Primitive) Address {
	get := func(names ...string) string { return first(p.Params, names...) }
	a := Address{
		Resource: p.Name, IP: get(contract.ParamIP, contract.ParamOldIP),
		Provider:  cmp.Or(get(contract.ParamProvider), contract.DefaultProvider),
		TokenFile: get(contract.ParamTokenFile), APIURL: get(contract.ParamAPIURL),
		MetadataURL: get(contract.ParamMetadataURL), primitive: p,
	}
	for _, name := range []string{contract.ParamToken, contract.ParamOldToken} {
		if get(name) == hiddenToken {
			a.SecretFile = filepath.Join(secretsDir, p.Name, name)
		}
	}
	if token := get(contract.ParamToken, contract.ParamOldToken); token != hiddenToken {
		a.Token, a.TokenInCIB = token, token != ""
	}
	return a
}

// AddressNamed reads the address of that name out of the configuration, which may be nil if it
// could not be read.
func AddressNamed(cib *crm.CIB, name string) (Address, bool) {
	if cib == nil {
		return Address{}, false
	}
	p, ok := cib.Primitive(name)
	if !ok || !IsFloatIP(p.Agent()) {
		return Address{}, false
	}
	return AddressOf(p), true
}

// FindAddress finds the address of that name, or the one that is that address, in any spelling. Its
// error says which addresses there are.
func FindAddress(cib *crm.CIB, name string) (Address, error) {
	if a, ok := AddressNamed(cib, name); ok {
		return a, nil
	}
	var known, holders []string
	var found Address
	wanted, spelling := netip.ParseAddr(name)
	for _, p := range Primitives(cib.Effective(), IsFloatIP) {
		a := AddressOf(p)
		known = append(known, a.String())
		held, err := netip.ParseAddr(a.IP)
		if err == nil && spelling == nil && held.Unmap() == wanted.Unmap() {
			found, holders = a, append(holders, a.Resource)
		}
	}
	if len(holders) == 1 {
		return found, nil
	}
	have := "it has none"
	if len(known) > 0 {
		have = "it has " + strings.Join(known, ", ")
	}
	_, there := cib.Object(name)
	switch {
	case len(holders) > 1:
		return Address{}, outcome.Usagef("%s is the address of several resources: name one of %s",
			name, strings.Join(holders, ", "))
	case there:
		return Address{}, outcome.Usagef(
			"%s is no floating IP in the cluster's configuration; %s", name, have)
	}
	return Address{}, outcome.Usagef(
		"there is no floating IP %s in the cluster's configuration; %s", name, have)
}

// String names the address as a person does: by its resource, and by what it is.
func (a Address) String() string { return Called(a.Resource, a.IP) }

// Called names an address by its resource and, where it is known, by what it is.
func Called(resource, ip string) string {
	if ip == "" {
		return resource
	}
	return resource + " (" + ip + ")"
}

// hiddenToken is what cibsecret(8) leaves in place of a token, and secretsDir is where each node
// then has the value (LRM_CIBSECRETS_DIR of Pacemaker).
const (
	hiddenToken = "lrm://"
	secretsDir  = "/var/lib/pacemaker/lrm/secrets"
)

// TokenFile is the file for a token that was written into the configuration.
const TokenFile = "/etc/hawser/token"

// WithTokenFile returns the resource with a file in place of the token. With both at once, or with
// neither, the agent may not run at all: so the two changes have to be written together.
func (a Address) WithTokenFile() *crm.Primitive {
	p := *a.primitive
	p.Params = p.Params.Without(contract.ParamToken, contract.ParamOldToken)
	p.Params.Set(contract.ParamTokenFile, TokenFile)
	return &p
}

// addressesBefore returns, for each resource in a group, the addresses that the group starts before
// it.
func addressesBefore(objects []crm.Object) map[string][]netip.Addr {
	of, before := map[string]netip.Addr{}, map[string][]netip.Addr{}
	for _, p := range Primitives(objects, IsAddress) {
		if ip, ok := IPOf(p); ok {
			of[p.Name] = ip
		}
	}
	for _, o := range objects {
		g, ok := o.(*crm.Group)
		if ordered, _ := crm.MetaOf(o).Get("ordered"); !ok || crm.IsFalse(ordered) {
			continue
		}
		var so []netip.Addr
		for _, member := range g.Members {
			before[member] = slices.Clone(so)
			if ip, ok := of[member]; ok {
				so = append(so, ip)
			}
		}
	}
	return before
}

// first returns the value of the first of the parameters that is set.
func first(params crm.Attrs, names ...string) string {
	for _, name := range names {
		if v, ok := params.Get(name); ok {
			return v
		}
	}
	return ""
}
