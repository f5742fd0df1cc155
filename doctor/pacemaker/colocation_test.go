package pacemaker

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeColocation provokes the findings of the check address-colocation.
func provokeColocation() []provoked {
	return []provoked{
		{name: "no colocation", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.ColocationIP, "")
			b.Edit(t, `<obj_ref id="FloatIP-haproxy"/>`, "")
		}, want: doctor.Error, says: "there is no colocation"},
		{
			name: "no colocation, and no HAProxy there",
			provoke: func(t *testing.T, b *bench.Cluster) {
				b.Edit(t, bench.ColocationIP, "")
				b.Edit(t, `<obj_ref id="FloatIP-haproxy"/>`, "")
				b.Remove(t, "//node_state[@uname='lb-1']//lrm_resource[@id='haproxy']")
			}, want: doctor.Error, says: "it is on lb-1 now, where HAProxy does not run",
		},
		{name: "an address and no HAProxy", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Remove(t, "//clone")
			b.Remove(t, "//constraints/*")
			b.Remove(t, "//tags")
			b.Remove(t, "//lrm_resource[@id='haproxy']")
		}, want: doctor.Warning, says: "and no HAProxy", live: true},
		{
			name: "another service's address",
			provoke: edit("</resources>",
				`<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2">`+
					`<instance_attributes id="vi"><nvpair id="vi-ip" name="ip" `+
					`value="192.0.2.9"/></instance_attributes>`+
					`<operations><op id="vip-m" name="monitor" interval="10s"/></operations>`+
					`</primitive></resources>`),
			want: doctor.Warning, says: "vip is not kept with HAProxy",
		},
		{
			name: "the wrong way round",
			provoke: edit(bench.ColocationIP,
				`<rsc_colocation id="FloatIP-haproxy" score="INFINITY" rsc="haproxy-clone" `+
					`with-rsc="FloatIP"/>`),
			want: doctor.Error, says: "the wrong way round",
		},
		{
			name: "both ways",
			provoke: edit(bench.ColocationIP,
				bench.ColocationIP+
					`<rsc_colocation id="again" score="INFINITY" rsc="haproxy-clone" `+
					`with-rsc="FloatIP"/>`),
			want: doctor.Warning, says: "each placed with the other",
		},
		{
			name: "only a preference",
			provoke: edit(bench.ColocationIP,
				strings.Replace(bench.ColocationIP, "INFINITY", "100", 1)),
			want: doctor.Warning, says: "only prefers",
		},
		{
			name: "kept away",
			provoke: edit(bench.ColocationIP,
				strings.Replace(bench.ColocationIP, "INFINITY", "-INFINITY", 1)),
			want: doctor.Error, says: "kept away from haproxy-clone",
		},
		{
			name: "a colocation of sets",
			provoke: edit(bench.ColocationIP,
				`<rsc_colocation id="FloatIP-haproxy" score="INFINITY"><resource_set id="a">`+
					`<resource_ref id="FloatIP"/></resource_set><resource_set id="b">`+
					`<resource_ref id="haproxy-clone"/></resource_set></rsc_colocation>`),
			want: doctor.Unknown, says: "sets of resources", live: true,
		},
	}
}

// An address that another service has is not HAProxy's, whatever ties it to that service.
func TestAddressOfAnotherService(t *testing.T) {
	const vip = `<primitive id="p_ip_pg" class="ocf" provider="heartbeat" type="IPaddr2">` +
		`<instance_attributes id="vi"><nvpair id="vi-ip" name="ip" value="192.0.2.9"/>` +
		`</instance_attributes><operations><op id="vip-m" name="monitor" interval="10s"/>` +
		`</operations></primitive>`
	const pg = `<primitive id="p_pg" class="ocf" provider="heartbeat" type="Dummy">` +
		`<operations><op id="pg-m" name="monitor" interval="10s"/></operations></primitive>`
	for name, c := range map[string]struct{ resources, constraints string }{
		"a group":      {`<group id="g_pg">` + vip + pg + `</group>`, ""},
		"a colocation": {vip + pg, `<rsc_colocation id="c" score="INFINITY" rsc="p_ip_pg" with-rsc="p_pg"/>`},
		"an order":     {vip + pg, `<rsc_order id="o" first="p_pg" then="p_ip_pg"/>`},
		"a group and a colocation": {`<group id="g_ip">` + vip + `</group>` + pg,
			`<rsc_colocation id="c" score="INFINITY" rsc="g_ip" with-rsc="p_pg"/>`},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench.New(t)
			b.Edit(t, "</resources>", c.resources+"</resources>")
			b.Edit(t, "</constraints>", c.constraints+"</constraints>")
			b.Verify(t)
			for _, f := range findings(t, b) {
				require.NotEqual(t, "address-colocation", f.Check, "%+v", f)
			}
		})
	}
}
