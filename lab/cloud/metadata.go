package cloud

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// snapshot is what the metadata service reports about a droplet's reserved addresses; invalid if it
// has none.
type snapshot struct{ v4, v6 netip.Addr }

// snapshot is the current one of the droplet. The caller holds mu.
func (c *Cloud) snapshot(droplet int) snapshot {
	var s snapshot
	for _, r := range c.ips {
		switch {
		case r.Droplet != droplet:
		case r.IP.Is4():
			s.v4 = r.IP
		default:
			s.v6 = r.IP
		}
	}
	return s
}

// Metadata serves the metadata service as the droplet sees it: /metadata/v1/… as text and
// /metadata/v1.json. See https://docs.digitalocean.com/reference/api/metadata/
func (c *Cloud) Metadata(dropletID int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.metadataDisturbed(w, r) {
			return
		}
		c.mu.Lock()
		d, known := c.droplets[dropletID]
		s := c.snapshot(dropletID)
		if f := c.faulty(MetadataStale, r.Method+" "+r.URL.Path); f != nil {
			s = f.stale[dropletID]
		}
		c.mu.Unlock()
		if !known {
			http.NotFound(w, r)
			return
		}
		doc := d.metadata(s)
		if r.URL.Path == "/metadata/v1.json" {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(doc) // the client has gone: nobody to tell
			return
		}
		rest, ok := strings.CutPrefix(r.URL.Path, "/metadata/v1/")
		if !ok && r.URL.Path != "/metadata/v1" {
			http.NotFound(w, r)
			return
		}
		text, ok := lookUp(tree(doc), rest)
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(text))
	})
}

func (c *Cloud) metadataDisturbed(w http.ResponseWriter, r *http.Request) bool {
	if f, ok := c.take(MetadataLatency, r); ok && !sleep(r.Context(), f.Delay) {
		return true
	}
	if f, ok := c.take(MetadataHang, r); ok {
		if f.Count > 0 {
			<-r.Context().Done()
			return true
		}
		if !c.wait(r.Context(), MetadataHang, r.Method+" "+r.URL.Path) {
			return true
		}
	}
	if f, ok := c.take(MetadataStatus, r); ok {
		if f.Status == 0 {
			f.Status = http.StatusInternalServerError
		}
		http.Error(w, http.StatusText(f.Status), f.Status)
		return true
	}
	return false
}

// metadata is the JSON form.
func (d Droplet) metadata(s snapshot) map[string]any {
	address := func(p netip.Prefix, gateway netip.Addr) map[string]any {
		v := map[string]any{"ip_address": p.Addr().String()}
		if p.Addr().Is4() {
			v["netmask"] = netmask(p)
		} else {
			v["cidr"] = p.Bits()
		}
		if gateway.IsValid() {
			v["gateway"] = gateway.String()
		}
		return v
	}
	interfaces := map[string]any{}
	public := map[string]any{"type": "public"}
	if d.Public.IsValid() {
		public["ipv4"] = address(d.Public, d.PublicGateway)
	}
	if d.Public6.IsValid() {
		public["ipv6"] = address(d.Public6, d.Gateway6)
	}
	if d.Anchor.IsValid() {
		public["anchor_ipv4"] = address(d.Anchor, d.AnchorGateway)
	}
	if len(public) > 1 {
		interfaces["public"] = []any{public}
	}
	if d.Private.IsValid() {
		interfaces["private"] = []any{
			map[string]any{"type": "private", "ipv4": address(d.Private, netip.Addr{})},
		}
	}
	active := func(ip netip.Addr) map[string]any {
		v := map[string]any{"active": ip.IsValid()}
		if ip.IsValid() {
			v["ip_address"] = ip.String()
		}
		return v
	}
	tags := []any{}
	for _, t := range d.Tags {
		tags = append(tags, t)
	}
	return map[string]any{
		"droplet_id": d.ID, "hostname": d.Name, "region": d.Region, "interfaces": interfaces,
		"floating_ip": map[string]any{"ipv4": active(s.v4)},
		"reserved_ip": map[string]any{"ipv4": active(s.v4), "ipv6": active(s.v6)},
		"features":    map[string]any{"dhcp_enabled": false}, "tags": tags,
	}
}

// tree is the text form's tree: the same values under slightly other names.
func tree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, inner := range v {
			out[k] = tree(inner)
		}
		if id, ok := out["droplet_id"]; ok {
			delete(out, "droplet_id")
			out["id"] = id
		}
		_, netmask := out["netmask"]
		_, cidr := out["cidr"]
		if netmask || cidr { // an interface's address is "address" here and "ip_address" in JSON
			out["address"] = out["ip_address"]
			delete(out, "ip_address")
		}
		return out
	case []any:
		out := map[string]any{}
		for i, inner := range v {
			out[strconv.Itoa(i)] = tree(inner)
		}
		return out
	}
	return v
}

// lookUp walks the tree along the path. A directory lists its entries, those that are directories
// with a slash.
func lookUp(at any, path string) (string, bool) {
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		if part == "" {
			continue
		}
		dir, ok := at.(map[string]any)
		if !ok {
			return "", false
		}
		if at, ok = dir[part]; !ok {
			return "", false
		}
	}
	dir, ok := at.(map[string]any)
	if !ok {
		return fmt.Sprint(at), true
	}
	var names []string
	for name, inner := range dir {
		if _, isDir := inner.(map[string]any); isDir {
			name += "/"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, "\n"), true
}
