package cloud

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
)

// family is one of the API's three sets of words for reserved addresses: the current ones for IPv4,
// the older ones with "floating IP", and those for IPv6.
type family struct {
	path, one, many, kind string
	is6                   bool
}

var families = []family{
	{path: "reserved_ips", one: "reserved_ip", many: "reserved_ips", kind: "reserved_ip"},
	{path: "floating_ips", one: "floating_ip", many: "floating_ips", kind: "floating_ip"},
	{
		path: "reserved_ipv6", one: "reserved_ipv6", many: "reserved_ipv6s", kind: "reserved_ipv6",
		is6: true,
	},
}

type familyKey struct{}

// bind passes the family to an endpoint that serves them all.
func (f family) bind(e endpoint) endpoint {
	return func(c *Cloud, who caller, r *http.Request) (int, any, error) {
		return e(c, who, r.WithContext(context.WithValue(r.Context(), familyKey{}, f)))
	}
}

func familyOf(r *http.Request) family { f, _ := r.Context().Value(familyKey{}).(family); return f }

// show is the address object of the API. Without the scope droplet:read the holder reads as null,
// as if there were none.
func (f family) show(c *Cloud, r *reserved, who caller) map[string]any {
	var droplet any
	if d, ok := c.droplets[r.Droplet]; ok && who.may(ScopeDropletRead) {
		droplet = c.shown(d)
	}
	if f.is6 {
		v := map[string]any{
			"ip": r.IP.String(), "region_slug": r.Region, "reserved_at": "2025-01-01T00:00:00Z",
		}
		if droplet != nil {
			v["droplet"] = droplet
		}
		return v
	}
	return map[string]any{
		"ip": r.IP.String(), "region": region(r.Region), "droplet": droplet, "locked": c.locked(r),
		"project_id": "746c6152-2fa2-11ed-92d3-27aaa54e4988",
	}
}

// find looks up the address in the path. The caller holds mu.
func (f family) find(c *Cloud, r *http.Request) (*reserved, error) {
	ip, err := netip.ParseAddr(r.PathValue("ip"))
	if err != nil || ip.Is6() != f.is6 {
		return nil, notFound()
	}
	if found := c.ips[ip]; found != nil {
		return found, nil
	}
	return nil, notFound()
}

func listIPs(c *Cloud, who caller, r *http.Request) (int, any, error) {
	f := familyOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*reserved
	for _, ip := range c.ips {
		if ip.IP.Is6() == f.is6 {
			all = append(all, ip)
		}
	}
	slices.SortFunc(all, func(a, b *reserved) int { return a.IP.Compare(b.IP) })
	some, links, meta := page(r, all)
	shown := []any{}
	for _, ip := range some {
		shown = append(shown, f.show(c, ip, who))
	}
	return http.StatusOK, map[string]any{f.many: shown, "links": links, "meta": meta}, nil
}

func getIP(c *Cloud, who caller, r *http.Request) (int, any, error) {
	f := familyOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	ip, err := f.find(c, r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{f.one: f.show(c, ip, who), "links": map[string]any{}}, nil
}
