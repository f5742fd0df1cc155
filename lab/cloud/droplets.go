package cloud

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// region is a data centre as the API shows it.
func region(slug string) map[string]any {
	return map[string]any{
		"slug": slug, "name": slug, "available": true, "sizes": []string{},
		"features": []string{"metadata", "ipv6"},
	}
}

// shown is the droplet object of the API. The caller holds mu. The anchor is not listed among the
// public networks' addresses: only the metadata service knows it.
func (c *Cloud) shown(d Droplet) map[string]any {
	status := "active"
	if !c.running(d) {
		status = "off"
	}
	tags := append([]string{}, d.Tags...)
	v4, v6 := []any{}, []any{}
	add := func(p netip.Prefix, gateway netip.Addr, kind string) {
		if !p.IsValid() {
			return
		}
		n := map[string]any{"ip_address": p.Addr().String(), "type": kind}
		if gateway.IsValid() {
			n["gateway"] = gateway.String()
		}
		if p.Addr().Is4() {
			n["netmask"] = netmask(p)
			v4 = append(v4, n)
		} else {
			n["netmask"] = p.Bits()
			v6 = append(v6, n)
		}
	}
	add(d.Private, netip.Addr{}, "private")
	add(d.Public, d.PublicGateway, "public")
	add(d.Public6, d.Gateway6, "public")
	return map[string]any{
		"id": d.ID, "name": d.Name, "status": status, "locked": c.dropletLocked(d),
		"region": region(d.Region),
		"memory": 1024, "vcpus": 1, "disk": 25, "size_slug": "s-1vcpu-1gb",
		"features": []string{"private_networking", "ipv6"}, "backup_ids": []int{},
		"snapshot_ids": []int{}, "tags": tags,
		"volume_ids": []string{}, "networks": map[string]any{"v4": v4, "v6": v6},
	}
}

func netmask(p netip.Prefix) string {
	return net.IP(net.CIDRMask(p.Bits(), p.Addr().BitLen())).String()
}

func listDroplets(c *Cloud, _ caller, r *http.Request) (int, any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Droplet
	for _, d := range c.droplets {
		name, tag := r.FormValue("name"), r.FormValue("tag_name")
		if (name == "" || strings.EqualFold(name, d.Name)) &&
			(tag == "" ||
				slices.ContainsFunc(d.Tags,
					func(t string) bool { return strings.EqualFold(t, tag) })) {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b Droplet) int { return cmp.Compare(a.ID, b.ID) })
	ds, links, meta := page(r, all)
	shown := []any{}
	for _, d := range ds {
		shown = append(shown, c.shown(d))
	}
	return http.StatusOK, map[string]any{"droplets": shown, "links": links, "meta": meta}, nil
}

func getDroplet(c *Cloud, _ caller, r *http.Request) (int, any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := strconv.Atoi(r.PathValue("id"))
	d, known := c.droplets[id]
	if err != nil || !known {
		return 0, nil, notFound()
	}
	return http.StatusOK, map[string]any{"droplet": c.shown(d)}, nil
}
